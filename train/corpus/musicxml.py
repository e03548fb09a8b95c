"""Reads one MusicXML file as parts of measures; times are in quarter notes from the bar's start.

It reads pitches, durations, ties, lyrics, tempo, time and key signatures, and the marks that order the bars.
It skips layout, grace notes and cue notes.
"""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import dataclass, field

LAST_PASS = 20
"""Greatest number of an ending; a greater one is a slip of the converter (a hymn has ending 33)."""

STEP = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@dataclass(slots=True)
class WrittenNote:
    """A note of a measure; ``onset`` and ``length`` in quarters, ``pitch`` as it sounds.

    ``lyrics`` holds (text, syllabic) by verse.
    """

    onset: float
    length: float
    pitch: int
    voice: str
    ties_on: bool
    tied_from: bool
    lyrics: dict[int, tuple[str, str]]


@dataclass(slots=True)
class Measure:
    """One bar of one part; ``filled`` is the length of its notes and rests in quarters.

    ``rest_bar`` is the length of a whole-bar rest, ``tempo`` holds (offset in quarters, bpm).
    """

    time: tuple[int, int] = (4, 4)
    notes: list[WrittenNote] = field(default_factory=list)
    filled: float = 0.0
    rest_bar: float = 0.0
    tempo: list[tuple[float, float]] = field(default_factory=list)
    fifths: int | None = None
    mode: str = ""
    forward: bool = False
    backward: int = 0
    ending: frozenset[int] = frozenset()
    ending_stops: bool = False
    jumps: frozenset[str] = frozenset()


def read_parts(data: bytes) -> dict[str, list[Measure]]:
    """Measures by part id, from the bytes of an ``.mxl`` archive.

    Raises:
        ValueError: the bytes are no archive, or it holds no score.
    """
    try:
        root = ET.fromstring(_score_xml(data))
    except (zipfile.BadZipFile, ET.ParseError) as error:
        raise ValueError(f"not a MusicXML archive ({error})") from error
    return {part.get("id", ""): _measures(part) for part in root.findall("part")}


def _score_xml(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        if "META-INF/container.xml" in names:
            for element in ET.fromstring(archive.read("META-INF/container.xml")).iter():
                path = element.get("full-path")
                if element.tag.endswith("rootfile") and path in names:
                    return archive.read(path)
        for name in names:
            if name.endswith((".xml", ".musicxml")) and not name.startswith("META-INF"):
                return archive.read(name)
    raise ValueError("no MusicXML score in the archive")


def _measures(part: ET.Element) -> list[Measure]:
    measures: list[Measure] = []
    attributes = _Attributes()
    for element in part.findall("measure"):
        measures.append(_measure(element, attributes))
    return measures


@dataclass(slots=True)
class _Attributes:
    """What holds from bar to bar; ``transpose`` is semitones from written to sounding pitch."""

    divisions: float = 1.0
    time: tuple[int, int] = (4, 4)
    transpose: int = 0

    def read(self, item: ET.Element, measure: Measure) -> None:
        self.divisions = float(item.findtext("divisions") or self.divisions)
        measure.time = self.time = _time_signature(item) or self.time
        transpose = item.find("transpose")
        if transpose is not None:
            octaves = int(transpose.findtext("octave-change") or 0)
            self.transpose = round(float(transpose.findtext("chromatic") or 0)) + 12 * octaves
        if item.find("key/fifths") is not None:
            written = int(item.findtext("key/fifths") or 0)
            measure.fifths = (written + 7 * self.transpose + 5) % 12 - 5 if self.transpose else written
            measure.mode = item.findtext("key/mode") or ""


def _measure(element: ET.Element, attributes: _Attributes) -> Measure:
    measure = Measure(time=attributes.time)
    position = last_onset = 0.0
    for item in element:
        divisions = attributes.divisions
        if item.tag == "attributes":
            attributes.read(item, measure)
        elif item.tag == "backup":
            position -= float(item.findtext("duration") or 0) / divisions
        elif item.tag == "forward":
            position += float(item.findtext("duration") or 0) / divisions
        elif item.tag == "note" and item.find("grace") is None:
            length = float(item.findtext("duration") or 0) / divisions
            onset = last_onset if item.find("chord") is not None else position
            if item.find("pitch") is not None and item.find("cue") is None:
                measure.notes.append(_note(item, onset, length, attributes.transpose))
            if item.find("chord") is None:
                last_onset, position = position, position + length
            rest = item.find("rest")
            if rest is not None and rest.get("measure") == "yes":
                measure.rest_bar = max(measure.rest_bar, position)
            else:
                measure.filled = max(measure.filled, position)
        elif item.tag in ("direction", "sound"):
            _read_sound(item, measure, position, divisions)
        elif item.tag == "barline":
            _read_barline(item, measure)
    return measure


def _time_signature(attributes: ET.Element) -> tuple[int, int] | None:
    beats, unit = attributes.findtext("time/beats"), attributes.findtext("time/beat-type")
    if not beats or not unit:
        return None
    try:
        return sum(int(n) for n in beats.split("+")), int(unit)
    except ValueError:
        return None


def _note(item: ET.Element, onset: float, length: float, transpose: int) -> WrittenNote:
    octave = int(item.findtext("pitch/octave") or 4)
    alter = round(float(item.findtext("pitch/alter") or 0))
    pitch = 12 * (octave + 1) + STEP[item.findtext("pitch/step") or "C"] + alter + transpose
    ties = {tie.get("type") for tie in item.findall("tie")}
    lyrics: dict[int, tuple[str, str]] = {}
    for lyric in item.findall("lyric"):
        text = "".join(t.text or "" for t in lyric.findall("text"))
        digits = "".join(c for c in lyric.get("number") or "" if c.isdigit())
        if text:
            lyrics[int(digits or 1)] = (text, lyric.findtext("syllabic") or "single")
    voice = item.findtext("voice") or "1"
    return WrittenNote(onset, length, pitch, voice, "start" in ties, "stop" in ties, lyrics)


def _read_sound(item: ET.Element, measure: Measure, position: float, divisions: float) -> None:
    sound = item if item.tag == "sound" else item.find("sound")
    if sound is None:
        return
    tempo = float(sound.get("tempo") or 0)
    if tempo > 0:
        offset = float(item.findtext("offset") or 0) / divisions
        measure.tempo.append((max(0.0, position + offset), min(300.0, max(20.0, tempo))))
    names = ("dacapo", "dalsegno", "segno", "coda", "tocoda", "fine")
    measure.jumps |= {name for name in names if sound.get(name)}


def _read_barline(item: ET.Element, measure: Measure) -> None:
    repeat, ending = item.find("repeat"), item.find("ending")
    if repeat is not None:
        if repeat.get("direction") == "forward":
            measure.forward = True
        else:
            measure.backward = int(repeat.get("times") or 2)
    if ending is not None:
        if ending.get("type") == "start":
            numbers = (ending.get("number") or "1").replace(",", " ").split()
            passes = (int(n) for n in numbers if n.isdigit())
            measure.ending = frozenset(n for n in passes if n <= LAST_PASS)
        else:
            measure.ending_stops = True
