"""A song as training needs it: sung notes, written accompaniment, beats and key."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.music.keys import Key
from appliance.music.score import BeatGrid, Note


@dataclass(frozen=True, slots=True)
class SungNote:
    """A sung note; an empty ``syllable`` continues the last one (melisma).

    ``syllabic`` has MusicXML's values: 'single', 'begin', 'middle', 'end' or ''.
    """

    start_s: float
    end_s: float
    pitch: int
    syllable: str
    syllabic: str


@dataclass(frozen=True, slots=True)
class Song:
    """One song of the corpus with repeats expanded."""

    id: str
    title: str
    split: str
    language: str
    duration_s: float
    voice: tuple[SungNote, ...]
    written: tuple[Note, ...]
    """The written accompaniment, all in group 'keys'."""
    beats_s: tuple[float, ...]
    downbeats: tuple[int, ...]
    """Indices into ``beats_s`` of the first beat of each bar; a pickup bar has none."""
    bars_s: tuple[float, ...]
    """Start of every bar, including the pickup, and the end of the last bar."""
    meters: tuple[tuple[int, int], ...]
    """Time signature of every bar."""
    key: Key
    """The key of the first key signature."""
    tempo: tuple[tuple[float, float], ...]
    """(start in seconds, quarter notes per minute)."""
    sha256: str

    @property
    def grid(self) -> BeatGrid:
        """The score's own beats, with full confidence."""
        gaps = [b - a for a, b in zip(self.downbeats, self.downbeats[1:], strict=False)]
        meter = max(set(gaps), key=gaps.count) if gaps else 4
        return BeatGrid(self.beats_s, self.downbeats, 1.0, meter)
