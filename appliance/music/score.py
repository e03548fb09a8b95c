"""The notes of an accompaniment: what the model writes and the sampler plays.

A :class:`Score` is the common language of the rooms: arrangers and the corpus reader produce one, the
roll (:mod:`appliance.music.roll`) turns one into a picture and back, the band plays one, MIDI stores one.
Pitched instruments fall into four groups by the part they play; drums are a group of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

GROUPS = ("keys", "pluck", "pad", "bass")
"""Pitched groups: struck keys, plucked strings, sustained sounds (strings, organ, pads), bass."""

DRUM_GROUP = "drums"

DRUM_KEYS = (36, 38, 37, 42, 46, 45, 50, 49, 51, 54)
"""General MIDI keys of the drum rows: kick, snare, side stick, closed hat, open hat, low tom, high
tom, crash, ride, tambourine. Other drum keys do not exist in a score."""

LOWEST_PITCH = 21
"""MIDI number of the roll's first row (A0)."""

PITCHES = 88
"""Rows of a pitched group: the piano's compass, MIDI 21-108."""

STYLES = ("piano", "strings", "organ", "guitar", "pop", "folk", "jazz", "synth")
"""What a style plays is learned; which sound each group has is the pack's (``pack.json``)."""

STYLE_GROUPS: dict[str, tuple[str, ...]] = {
    "piano": ("keys",),
    "strings": ("pad", "bass"),
    "organ": ("pad", "bass"),
    "guitar": ("pluck",),
    "pop": (*GROUPS, DRUM_GROUP),
    "folk": ("pluck", "bass", DRUM_GROUP),
    "jazz": ("keys", "bass", DRUM_GROUP),
    "synth": ("pluck", "pad", "bass", DRUM_GROUP),
}
"""The groups a style's arrangements have. What the model paints elsewhere is a slip."""


@dataclass(frozen=True, order=True, slots=True)
class Note:
    """One note: ``start_s`` and ``end_s`` in seconds, MIDI ``pitch``, ``velocity`` 1-127.

    ``group`` is one of :data:`GROUPS` or :data:`DRUM_GROUP` (then ``pitch`` is one of
    :data:`DRUM_KEYS`).
    """

    start_s: float
    end_s: float
    pitch: int
    velocity: int
    group: str


@dataclass(frozen=True, slots=True)
class Score:
    """Notes in time order over ``duration_s`` seconds."""

    notes: tuple[Note, ...]
    duration_s: float

    @staticmethod
    def of(notes: Iterable[Note], duration_s: float) -> Score:
        """A score with its notes sorted by time, then pitch."""
        return Score(tuple(sorted(notes)), duration_s)

    def groups(self) -> tuple[str, ...]:
        """The groups that play at all, in the order of :data:`GROUPS`, drums last."""
        present = {note.group for note in self.notes}
        return tuple(g for g in (*GROUPS, DRUM_GROUP) if g in present)

    def only(self, *groups: str) -> Score:
        """The score of these groups alone."""
        return Score(tuple(n for n in self.notes if n.group in groups), self.duration_s)

    def transposed(self, semitones: int) -> Score:
        """Pitched groups moved by ``semitones``; a note that leaves the compass moves by octaves."""

        def moved(note: Note) -> Note:
            if note.group == DRUM_GROUP:
                return note
            pitch = note.pitch + semitones
            while pitch < LOWEST_PITCH:
                pitch += 12
            while pitch >= LOWEST_PITCH + PITCHES:
                pitch -= 12
            return Note(note.start_s, note.end_s, pitch, note.velocity, note.group)

        return Score.of((moved(n) for n in self.notes), self.duration_s)


@dataclass(frozen=True, slots=True)
class BeatGrid:
    """Beats and bars of a song, in seconds.

    ``beats_s`` are the beat times; ``downbeats`` are indices into ``beats_s`` of the first beat of
    each bar; ``confidence`` is 0-1 (1.0 when the user gave the beats). An empty grid means unknown.
    """

    beats_s: tuple[float, ...] = ()
    downbeats: tuple[int, ...] = ()
    confidence: float = 0.0
    meter: int = field(default=4)
    """Beats a bar."""

    @property
    def bpm(self) -> float:
        """Median tempo in beats a minute; 0.0 when unknown."""
        if len(self.beats_s) < 2:
            return 0.0
        gaps = sorted(b - a for a, b in zip(self.beats_s, self.beats_s[1:], strict=False))
        return 60.0 / gaps[len(gaps) // 2]
