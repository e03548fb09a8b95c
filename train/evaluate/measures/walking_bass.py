"""Whether a bass walks: a note on every beat, chord tones on the strong ones.

Letters: B bars.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection
from dataclasses import dataclass

from appliance.music.chord_chart import Chart
from appliance.music.chord_names import parse_chord
from appliance.music.periods import Bars
from appliance.music.score import Score

TonesAt = Callable[[float], Collection[int]]
"""Pitch classes of the chord at a time in seconds; empty where the harmony is free."""

NEAR = 0.25
"""Distance from a beat, in beats, within which a note counts as played on it."""

IN_CHORD_S = 0.05
"""The chord of a beat is the one that sounds this long after it."""


@dataclass(frozen=True, slots=True)
class WalkingBass:
    """Counts over the bars in which the bass plays."""

    beats: int = 0
    played: int = 0
    """Beats on which a note of the bass begins."""
    strong: int = 0
    """Notes that begin on strong beats, where a chord is known."""
    chord_tones: int = 0
    """Those of them that belong to the chord."""

    def __add__(self, other: WalkingBass) -> WalkingBass:
        return WalkingBass(
            self.beats + other.beats,
            self.played + other.played,
            self.strong + other.strong,
            self.chord_tones + other.chord_tones,
        )

    @property
    def share_played(self) -> float:
        """Share of beats with a note; NaN without beats."""
        return self.played / self.beats if self.beats else float("nan")

    @property
    def share_chord_tones(self) -> float:
        """Share of the notes on strong beats that are chord tones; NaN without such notes."""
        return self.chord_tones / self.strong if self.strong else float("nan")


def walking_bass(score: Score, bars: Bars, tones_at: TonesAt) -> WalkingBass:
    """Count the beats of ``bars`` on which the group 'bass' begins a note, and its chord tones.

    Bars without any bass note are left out. The first beat of a bar is strong, and so is the middle one of
    four, six or more.
    """
    notes = score.only("bass").notes
    starts_s = [note.start_s for note in notes]
    total = WalkingBass()
    for bar in bars:
        beats = len(bar) - 1
        lengths = [bar[k + 1] - bar[k] for k in range(beats)]
        reach_s = NEAR * lengths[0]
        if bisect_left(starts_s, bar[0] - reach_s) == bisect_left(starts_s, bar[-1] - NEAR * lengths[-1]):
            continue
        for k, (time_s, length_s) in enumerate(zip(bar, lengths, strict=False)):
            first = bisect_left(starts_s, time_s - NEAR * length_s)
            last = bisect_left(starts_s, time_s + NEAR * length_s)
            found = min(notes[first:last], key=lambda n: abs(n.start_s - time_s), default=None)
            strong = k == 0 or (beats >= 4 and beats % 2 == 0 and k == beats // 2)
            tones = tones_at(time_s + IN_CHORD_S)
            counted = found is not None and strong and bool(tones)
            inside = counted and found is not None and found.pitch % 12 in tones
            total += WalkingBass(1, found is not None, counted, inside)
    return total


def tones_of_chart(chart: Chart) -> TonesAt:
    """The pitch classes of the chart's chord at a time, bass included."""
    starts_s = [span.start_s for span in chart]
    chords = [parse_chord(span.label) for span in chart]

    def tones_at(time_s: float) -> Collection[int]:
        k = bisect_left(starts_s, time_s + 1e-6) - 1
        chord = chords[k] if k >= 0 and time_s < chart[k].end_s else None
        return chord.pitch_classes | {chord.bass_pitch_class} if chord else frozenset()

    return tones_at
