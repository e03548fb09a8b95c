"""Reads an ABC lead sheet with music21: tune, repeats, and two harmonisations.

In the Public Domain Song Anthology ``"G7"`` is a chord of the original and ``"^D¨7"`` one of the editors, in
the code of a music font. music21 knows chord symbols but not the second set, so the file is read once with
each set alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from train.corpus.assembly import PlayedScore, TimedChord, TimedNote
from train.corpus.chord_symbols import parse_symbol
from train.corpus.ledger import LedgerRow, verified_bytes

_QUOTED = re.compile(r'"([^"]*)"')
_PLACE = re.compile(r'(?:"[^"]*"[\s(]*)+')
_BEFORE_BAR = re.compile(
    r"""((?:"[^"]*"\s*)*)([_=^]*[A-Ga-gxz][,']*[\d/]*[-)]*)\s*((?:"[^"]*"\s*)+)(?=[|:\]]|$)"""
)
_LATE = '"~"'
"""Stands between the symbols over a note and those after it."""

Place = list[str | None]
"""Symbols that share the length of one note; None: the chord before goes on."""

_FONT = str.maketrans({"¨": "b", "º": "dim", "€": "b", "&": "#"})
_MAJOR_SEVENTH = "Œ„Š7"

_SWUNG = re.compile(r"^R:\s*(?:jazz|rag|blues|swing)\b", re.MULTILINE)
"""Rhythms that are written straight and swung."""


def read_abc(corpus: Path, row: LedgerRow) -> PlayedScore:
    """The score of an ``.abc`` file.

    Raises:
        LedgerError: the licence is not allowed, or the file is missing or altered.
        ValueError: music21 cannot read the file.
    """
    text = verified_bytes(corpus, row).decode("utf-8-sig", "replace")
    original, editors = _with_chords(text, editors=False), _with_chords(text, editors=True)
    first, second = _parsed(row, *original), _parsed(row, *editors)
    bars, meters = _bars(first)
    signature = first.recurse().getElementsByClass("KeySignature").first()
    return PlayedScore(
        bars=bars,
        meters=meters,
        voice=_notes(first),
        fifths=signature.sharps if signature is not None else 0,
        mode=getattr(signature, "mode", None) or "",
        tempo=row.guessed_tempo,
        chords=_chords(first, original[1]),
        other_chords=_chords(second, editors[1]),
        swung=_SWUNG.search(text) is not None,
    )


def symbol_of(text: str) -> str | None:
    """A quoted text of an ABC file as a chord symbol in plain letters; None if it is a remark.

    >>> symbol_of("^E¨7"), symbol_of("^Am7€5"), symbol_of("^CŒ„Š7"), symbol_of("C743"), symbol_of("^Verse")
    ('Eb7', 'Am7b5', 'Cmaj7', 'C7', None)
    """
    plain = text.lstrip("^_<>@").replace(_MAJOR_SEVENTH, "maj7").translate(_FONT)
    plain = re.sub(r"(?<=7)43(?!\d)", "", plain)  # figured bass
    try:
        parse_symbol(plain)
    except ValueError:
        return None
    return plain


def _with_chords(text: str, *, editors: bool) -> tuple[str, list[Place]]:
    """The file with a placeholder wherever one set of chords has symbols, and these symbols.

    music21 keeps one symbol a note, knows no ``Em(maj7)`` and drops a symbol before a bar line. So it sees a
    plain C for each place, and a symbol before a bar line moves to the second half of the last note.
    """
    places: list[Place] = []

    def chosen(match: re.Match[str]) -> str:
        slurs = " " + "(" * _QUOTED.sub("", match.group(0)).count("(")
        before, _, after = match.group(0).partition(_LATE)
        early, late = _symbols(before, editors), _symbols(after, editors)
        place: Place = [*(early or [None]), *late] if late else [*early]
        if not place:
            return slurs
        places.append(place)
        return f'"C"{slurs}'

    lines = []
    for line in text.splitlines():
        if not re.match(r"[A-Za-z]:", line):
            line = _PLACE.sub(chosen, _BEFORE_BAR.sub(rf"\1{_LATE}\3\2", line))
        lines.append(line)
    return "\n".join(lines), places


def _symbols(text: str, editors: bool) -> list[str]:
    quoted = [q for q in _QUOTED.findall(text) if q.startswith("^") == editors]
    return [symbol for symbol in map(symbol_of, quoted) if symbol]


@cache
def _music21() -> Any:
    import music21

    return music21


def _parsed(row: LedgerRow, text: str, places: Sequence[Place]) -> Any:
    """The part of the file with repeats expanded; its chord symbols carry the number of their place.

    Repeats that contradict each other are played once.
    """
    music21 = _music21()
    try:
        score = music21.converter.parseData(text, format="abc")
        part = score.parts.first() if score.hasPartLikeStreams() else score
        symbols = list(part.recurse().getElementsByClass("ChordSymbol"))
    except (music21.Music21Exception, AttributeError, KeyError, IndexError) as error:
        raise ValueError(f"{row.file}: music21 cannot read it as ABC ({error}); correct the file") from error
    if len(symbols) != len(places):
        raise ValueError(f"{row.file}: music21 read {len(symbols)} of {len(places)} chords; correct the file")
    for number, symbol in enumerate(symbols):
        symbol.groups.append(str(number))
    try:
        return part.expandRepeats()
    except music21.repeat.ExpanderException:
        return part
    except music21.Music21Exception as error:
        raise ValueError(f"{row.file}: music21 finds no bars in it ({error}); correct the file") from error


def _notes(part: Any) -> list[TimedNote]:
    """The notes of the tune; a tied note lengthens the one before."""
    notes: list[TimedNote] = []
    for note in part.flatten().notes:
        if "ChordSymbol" in note.classes or note.duration.isGrace:
            continue
        start = float(note.offset)
        end = start + float(note.quarterLength)
        pitch = max(p.midi for p in note.pitches)
        tied = note.tie is not None and note.tie.type in ("stop", "continue")
        if tied and notes and notes[-1].pitch == pitch and abs(notes[-1].end - start) < 1e-6:
            notes[-1] = TimedNote(notes[-1].start, end, pitch)
        else:
            notes.append(TimedNote(start, end, pitch))
    return notes


def _bars(part: Any) -> tuple[list[float], list[tuple[int, int]]]:
    """Bar starts in quarters with the end of the last bar, and the time signature of each bar."""
    bars: list[float] = []
    meters: list[tuple[int, int]] = []
    meter, end = (4, 4), 0.0
    for measure in part.getElementsByClass("Measure"):
        if measure.timeSignature is not None:
            meter = (measure.timeSignature.numerator, measure.timeSignature.denominator)
        length = float(measure.duration.quarterLength)
        if length > 0:
            bars.append(float(measure.offset))
            meters.append(meter)
            end = bars[-1] + length
    return [*bars, end], meters


def _chords(part: Any, places: Sequence[Place]) -> list[TimedChord]:
    """The chords; several over one note share its length evenly."""
    flat = part.flatten()
    lengths = {
        float(note.offset): float(note.quarterLength) for note in flat.notesAndRests if note.quarterLength
    }
    chords: list[TimedChord] = []
    for symbol in flat.getElementsByClass("ChordSymbol"):
        names = places[int(symbol.groups[0])]
        start = float(symbol.offset)
        step = lengths.get(start, 0.0) / len(names)
        chords += [TimedChord(start + k * step, parse_symbol(name)) for k, name in enumerate(names) if name]
    return chords
