"""Reads a Humdrum kern score of voice and keyboard with Verovio.

Verovio expands repeats and times every note; its MEI says staff, pitch, words and ties. Ids join the two:
``note-L42F5`` is the note in line 42, field 5 of the file, ``note-L42F5-rend2`` the same in a second pass.
The voice is the **kern spine with **text to its right.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from train.corpus.assembly import PlayedScore, TimedNote
from train.corpus.kern_text import meters_by_line, signature, tempo, with_plain_expansions
from train.corpus.ledger import LedgerRow, verified_bytes

_MEI = "{http://www.music-encoding.org/ns/mei}"
_ID = "{http://www.w3.org/XML/1998/namespace}id"
_PASS = re.compile(r"-rend(\d+)$")
_STEPS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_ALTERATIONS = {"s": 1, "ss": 2, "x": 2, "f": -1, "ff": -2, "n": 0}
_PLACES = {"i": "begin", "m": "middle", "t": "end"}
_SHORTEST = 1e-4
"""Shorter notes, in quarters, are marks without a length."""


@dataclass(slots=True)
class _MeiNote:
    staff: int
    pitch: int
    grace: bool
    words: dict[int, tuple[str, str]] = field(default_factory=dict)


def read_kern(corpus: Path, row: LedgerRow) -> PlayedScore:
    """The score of a ``.krn`` file.

    Raises:
        LedgerError: the licence is not allowed, or the file is missing or altered.
        ValueError: Verovio cannot read the file, or the spine of the voice is not in it.
    """
    text = with_plain_expansions(verified_bytes(corpus, row).decode("utf-8-sig", "replace"))
    toolkit = _toolkit()
    if not toolkit.loadData(text):
        raise ValueError(f"{row.file}: Verovio cannot read it; leave it out of the ledger")
    # Verovio writes the symbol of some staff groups twice, which is no XML.
    mei = ET.fromstring(re.sub(r'( symbol="\w+") symbol="\w+"', r"\1", toolkit.getMEI({"removeIds": False})))
    timemap = toolkit.renderToTimemap({"includeMeasures": True, "includeRests": False})
    notes = _notes(mei)
    voice_staff = _staff_of(mei, _spine(row), row)
    bars, meters = _bars(timemap, text)
    fifths, mode = signature(text)
    marks = tempo(text) or row.guessed_tempo
    score = PlayedScore(bars=bars, meters=meters, tempo=marks, fifths=fifths, mode=mode)
    for note_id, start, end in _played(timemap, _ties(mei)):
        turn = int(match.group(1)) if (match := _PASS.search(note_id)) else 1
        note = notes.get(_PASS.sub("", note_id))
        if note is None or note.grace or end - start < _SHORTEST:
            continue
        if note.staff == voice_staff:
            word = note.words.get(turn) or note.words.get(1) or next(iter(note.words.values()), ("", ""))
            score.voice.append(TimedNote(start, end, note.pitch, *word))
        else:
            score.written.append(TimedNote(start, end, note.pitch))
    return score


@cache
def _toolkit() -> Any:
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions({"xmlIdSeed": 1, "breaks": "none"})
    return toolkit


def _spine(row: LedgerRow) -> int:
    return int(row.voice_part.removeprefix("spine"))


def _staff_of(mei: ET.Element, spine: int, row: LedgerRow) -> int:
    """The staff that a spine (columns from 1) became; Verovio's ids of staff definitions end in F and it."""
    for staff in mei.iter(f"{_MEI}staffDef"):
        if re.search(rf"F{spine}$", staff.get(_ID, "")):
            return int(staff.get("n", "0"))
    raise ValueError(f"{row.file}: no staff in {row.voice_part}; correct its voice_part in the ledger")


def _notes(mei: ET.Element) -> dict[str, _MeiNote]:
    """All notes by id."""
    found: dict[str, _MeiNote] = {}
    for staff in mei.iter(f"{_MEI}staff"):
        number = int(staff.get("n", "0"))
        for element, grace in _note_elements(staff, False):
            found[element.get(_ID, "")] = _MeiNote(number, _pitch(element), grace, _words(element))
        for chord in staff.iter(f"{_MEI}chord"):
            words = _words(chord)
            for element in chord.iter(f"{_MEI}note"):
                found[element.get(_ID, "")].words.update(words)
    return found


def _note_elements(element: ET.Element, grace: bool) -> Iterator[tuple[ET.Element, bool]]:
    """The notes below ``element``, and whether each is a grace note."""
    for child in element:
        inside = grace or child.get("grace") is not None or child.tag == f"{_MEI}graceGrp"
        if child.tag == f"{_MEI}note":
            yield child, inside
        yield from _note_elements(child, inside)


def _pitch(note: ET.Element) -> int:
    accidental = note.get("accid.ges") or note.get("accid") or ""
    for child in note.findall(f"{_MEI}accid"):
        accidental = child.get("accid.ges") or child.get("accid") or accidental
    step = _STEPS[note.get("pname", "c")] + _ALTERATIONS.get(accidental, 0)
    return 12 * (int(note.get("oct", "4")) + 1) + step


def _words(element: ET.Element) -> dict[int, tuple[str, str]]:
    words: dict[int, tuple[str, str]] = {}
    for verse in element.findall(f"{_MEI}verse"):
        syllable = verse.find(f"{_MEI}syl")
        text = "".join(syllable.itertext()).strip() if syllable is not None else ""
        if text and syllable is not None:
            place = _PLACES.get(syllable.get("wordpos", ""), "single")
            words[int(verse.get("n", "1"))] = (text, place)
    return words


def _ties(mei: ET.Element) -> dict[str, str]:
    """Second note of each tie -> first note, by id."""
    return {
        tie.get("endid", "").lstrip("#"): tie.get("startid", "").lstrip("#")
        for tie in mei.iter(f"{_MEI}tie")
        if tie.get("endid") and tie.get("startid")
    }


def _played(timemap: Sequence[Mapping[str, Any]], ties: Mapping[str, str]) -> list[tuple[str, float, float]]:
    """(id, start, end) in quarters of every note that is struck; a tied note lengthens the first one."""
    spans: dict[str, list[float]] = {}
    for event in timemap:
        at = float(event["qstamp"])
        for note_id in event.get("on", ()):
            spans[note_id] = [at, at]
        for note_id in event.get("off", ()):
            if note_id in spans:
                spans[note_id][1] = at
    held: dict[str, str] = {}
    played: dict[str, list[float]] = {}
    for note_id, (start, end) in sorted(spans.items(), key=lambda item: item[1][0]):
        suffix = match.group(0) if (match := _PASS.search(note_id)) else ""
        first = ties.get(_PASS.sub("", note_id))
        root = held.get(first + suffix, first + suffix) if first else ""
        if root in played and abs(played[root][1] - start) < _SHORTEST:
            played[root][1] = end
            held[note_id] = root
        else:
            played[note_id] = [start, end]
    return [(note_id, start, end) for note_id, (start, end) in played.items()]


def _bars(timemap: Sequence[Mapping[str, Any]], text: str) -> tuple[list[float], list[tuple[int, int]]]:
    """Bar starts in quarters with the end of the last bar, and the time signature of each bar."""
    known = meters_by_line(text)
    bars: list[float] = []
    meters: list[tuple[int, int]] = []
    for event in timemap:
        measure = event.get("measureOn")
        if measure is None:
            continue
        line = re.search(r"-L(\d+)", measure)
        at = float(event["qstamp"])
        meter = known.get(int(line.group(1)) if line else 1, (4, 4))
        if bars and at - bars[-1] < _SHORTEST:
            meters[-1] = meter
            continue
        bars.append(at)
        meters.append(meter)
    end = float(timemap[-1]["qstamp"]) if timemap else 0.0
    if bars and end - bars[-1] < _SHORTEST:
        meters.pop()
    else:
        bars.append(end)
    return bars, meters
