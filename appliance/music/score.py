"""The score, that is the notes of an accompaniment, and the beat grid.

The denoiser and the score VAE write a :class:`Score`, the band plays it, and a MIDI file stores it. In
training, the arrangers and the corpus reader produce scores. Pitched instruments form four groups by the part
they play; drums are a fifth group.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

GROUPS = ("keys", "pluck", "pad", "bass")
"""Pitched groups: keyboards, plucked strings, sustained sounds (strings, organ, pads), bass."""

DRUM_GROUP = "drums"

DRUM_KEYS = (36, 38, 37, 42, 46, 45, 50, 49, 51, 54)
"""General MIDI numbers of the ten drums in a score: kick, snare, side stick, closed hat, open hat, low tom,
high tom, crash, ride, tambourine."""

LOWEST_PITCH = 21
"""MIDI number of the roll's first row (A0)."""

PITCHES = 88
"""Rows of a pitched group: the range of a piano, MIDI 21-108."""

STYLES = ("piano", "strings", "organ", "guitar", "pop", "folk", "jazz", "synth")
"""All styles. The networks learn what a style plays; the pack (``pack.json``) chooses its sounds."""

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
"""The groups that play in each style. Notes that the networks write for other groups are dropped."""


@dataclass(frozen=True, order=True, slots=True)
class Note:
    """One note: ``start_s`` and ``end_s`` in seconds, MIDI ``pitch``, ``velocity`` 1-127.

    ``group`` is one of :data:`GROUPS`, or :data:`DRUM_GROUP` with a ``pitch`` of :data:`DRUM_KEYS`.
    """

    start_s: float
    end_s: float
    pitch: int
    velocity: int
    group: str


@dataclass(frozen=True, slots=True)
class Score:
    """Notes in order of time, in a song of ``duration_s`` seconds."""

    notes: tuple[Note, ...]
    duration_s: float

    @staticmethod
    def of(notes: Iterable[Note], duration_s: float) -> Score:
        """Make a score; sorts the notes by time, then pitch."""
        return Score(tuple(sorted(notes)), duration_s)

    def groups(self) -> tuple[str, ...]:
        """The groups that have notes, in the order of :data:`GROUPS`, drums last."""
        present = {note.group for note in self.notes}
        return tuple(g for g in (*GROUPS, DRUM_GROUP) if g in present)

    def only(self, *groups: str) -> Score:
        """The same score with the notes of ``groups`` only."""
        return Score(tuple(n for n in self.notes if n.group in groups), self.duration_s)

    def transposed(self, semitones: int) -> Score:
        """Transpose the pitched groups by ``semitones``.

        A note that would leave the range of MIDI 21-108 moves back into it by octaves.
        """

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
    each bar; ``confidence`` is 0-1 (1.0 if the user gave the beats). An empty grid means that the beats are
    unknown.
    """

    beats_s: tuple[float, ...] = ()
    downbeats: tuple[int, ...] = ()
    confidence: float = 0.0
    meter: int = field(default=4)
    """Beats per bar."""

    @property
    def bpm(self) -> float:
        """Median tempo in beats per minute; 0.0 if unknown."""
        if len(self.beats_s) < 2:
            return 0.0
        gaps = sorted(b - a for a, b in zip(self.beats_s, self.beats_s[1:], strict=False))
        return 60.0 / gaps[len(gaps) // 2]
