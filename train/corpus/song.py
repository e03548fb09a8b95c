"""A song as training needs it: sung notes, written accompaniment, beats and key."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.music.keys import Key
from appliance.music.score import BeatGrid, Note
from train.corpus.chord_symbols import SongChord


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
    """The written accompaniment, all in group 'keys'; empty for a lead sheet."""
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
    role: str = ""
    """The ledger's: 'voice+keyboard', 'satb', 'leadsheet', or '' for either of the first two."""
    chords: tuple[SongChord, ...] = ()
    """The chord symbols of the score in order; empty if it has none."""
    other_chords: tuple[SongChord, ...] = ()
    """A second harmonisation by the editors of the Public Domain Song Anthology."""
    swung: bool = False
    """Whether even eighths are to be swung."""

    @property
    def grid(self) -> BeatGrid:
        """The score's own beats, with full confidence."""
        gaps = [b - a for a, b in zip(self.downbeats, self.downbeats[1:], strict=False)]
        meter = max(set(gaps), key=gaps.count) if gaps else 4
        return BeatGrid(self.beats_s, self.downbeats, 1.0, meter)
