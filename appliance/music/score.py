"""The score, that is the notes of an accompaniment, and the beat grid.

The denoiser and the score VAE write a :class:`Score`, the band plays it, and a MIDI file stores it. In
training, the arrangers and the corpus reader produce scores. Pitched instruments form four groups by the part
they play; drums are a fifth group.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

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

STYLES = (
    "piano", "strings", "organ", "guitar", "pop", "folk", "jazz", "synth",
    "bossa", "waltz", "ballad", "gospel", "reggae", "funk", "country", "latin",
)  # fmt: skip
"""All styles. The networks learn what a style plays; the pack (``pack.json``) chooses its sounds.

A style's index is its row in the networks' input, so new styles are added at the end. A pack may know fewer:
those it lists, which are the first ones.
"""

STYLE_GROUPS: dict[str, tuple[str, ...]] = {
    "piano": ("keys",),
    "strings": ("pad", "bass"),
    "organ": ("pad", "bass"),
    "guitar": ("pluck",),
    "pop": (*GROUPS, DRUM_GROUP),
    "folk": ("pluck", "bass", DRUM_GROUP),
    "jazz": ("keys", "bass", DRUM_GROUP),
    "synth": ("pluck", "pad", "bass", DRUM_GROUP),
    "bossa": ("pluck", "bass", DRUM_GROUP),
    "waltz": ("keys", "pad", "bass"),
    "ballad": ("keys", "pad", "bass", DRUM_GROUP),
    "gospel": ("keys", "pad", "bass", DRUM_GROUP),
    "reggae": ("keys", "pluck", "bass", DRUM_GROUP),
    "funk": ("keys", "pluck", "bass", DRUM_GROUP),
    "country": ("pluck", "bass", DRUM_GROUP),
    "latin": ("keys", "bass", DRUM_GROUP),
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


FASTEST_QUARTERS_BPM = 160.0
"""Beats of a bar of five or seven that are faster than this are eighths, not quarters."""


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
    compound: bool = False
    """Whether a beat has three parts, as in 6/8, instead of two."""
    meter_confidence: float = 1.0
    """0-1: probability of the meter, if the beats are right."""
    tempo_changes: tuple[int, ...] = ()
    """Indices into ``beats_s`` of the beats with which another tempo begins."""

    @property
    def bpm(self) -> float:
        """Median tempo in beats per minute; 0.0 if unknown."""
        if len(self.beats_s) < 2:
            return 0.0
        return _bpm(self.beats_s)

    @property
    def tempi(self) -> tuple[tuple[float, float], ...]:
        """Where each tempo begins, in seconds, and its beats per minute; one unless the tempo changes."""
        firsts = (0, *self.tempo_changes)
        parts = (self.beats_s[a:b] for a, b in zip(firsts, (*self.tempo_changes, None), strict=True))
        return tuple((part[0], _bpm(part)) for part in parts if len(part) > 1)

    @property
    def signature(self) -> tuple[int, int]:
        """The time signature, such as (3, 4); compound time and fast 5 or 7 in eighths."""
        if self.compound:
            return 3 * self.meter, 8
        return self.meter, 8 if self.meter in (5, 7) and self.bpm > FASTEST_QUARTERS_BPM else 4


def _bpm(beats_s: tuple[float, ...]) -> float:
    gaps = sorted(b - a for a, b in pairwise(beats_s))
    return 60.0 / gaps[len(gaps) // 2]
