"""A score with some bars of another: notes are exchanged at the borders, and none outside is touched.

A note belongs to the bars if it begins in them. A note of the old score that begins before them rings into
them as it did; a new note of the same pitch waits until it has ended. A new note ends at the last border.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from appliance.music.bar_lines import BarLines
from appliance.music.chord_chart import Chart, merged
from appliance.music.rhythm_plan import RhythmPlan
from appliance.music.score import DRUM_GROUP, Note, Score

AT_BORDER_S = 0.001
"""A note so close to a border begins on it: MIDI keeps times to a tick, less than this."""

_SHORTEST_S = 0.05
"""If less is left of a new note that a ringing one or the last border shortens, it is left out."""


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """Some bars of a song: from ``start_s`` to ``end_s``."""

    start_s: float
    end_s: float

    def holds(self, note: Note) -> bool:
        """Whether ``note`` begins in it."""
        return self.start_s - AT_BORDER_S <= note.start_s < self.end_s - AT_BORDER_S


def spliced_score(old: Score, new: Score, bars: TimeSpan, groups: Collection[str]) -> Score:
    """``old``, with what ``new`` has for ``groups`` in ``bars``.

    >>> old = Score.of([Note(0.0, 3.0, 60, 80, "keys"), Note(3.0, 4.0, 60, 80, "keys")], 4.0)
    >>> new = Score.of([Note(2.0, 3.5, 64, 70, "keys")], 4.0)
    >>> spliced = spliced_score(old, new, TimeSpan(1.0, 3.0), ["keys"])
    >>> [(note.start_s, note.end_s, note.pitch) for note in spliced.notes]
    [(0.0, 3.0, 60), (2.0, 3.0, 64), (3.0, 4.0, 60)]
    """
    kept = [note for note in old.notes if note.group not in groups or not bars.holds(note)]
    until: dict[tuple[str, int], float] = {}
    for note in kept:
        if note.start_s < bars.start_s and note.end_s > bars.start_s:
            until[note.group, note.pitch] = note.end_s
    added = []
    for note in new.notes:
        if note.group in groups and bars.holds(note):
            free_s = until.get((note.group, note.pitch), bars.start_s)
            start_s, end_s = max(note.start_s, free_s), min(note.end_s, bars.end_s)
            unhurt = start_s - note.start_s < AT_BORDER_S and end_s == note.end_s
            if unhurt or end_s - start_s >= _SHORTEST_S or note.group == DRUM_GROUP:
                added.append(replace(note, start_s=start_s, end_s=end_s))
    return Score.of([*kept, *added], old.duration_s)


def spliced_chart(old: Chart, new: Chart, bars: TimeSpan) -> Chart:
    """``old``, with the chords that ``new`` has in ``bars``; borders are rounded to milliseconds."""
    start_s, end_s = round(bars.start_s, 3), round(bars.end_s, 3)
    before = _cut(old, 0.0, start_s)
    after = _cut(old, end_s, max([end_s, *(span.end_s for span in old)]))
    return merged([*before, *_cut(new, start_s, end_s), *after])


def spliced_rhythm(old: RhythmPlan, new: RhythmPlan, lines: BarLines, bars: TimeSpan) -> RhythmPlan:
    """``old``, with the rhythm that ``new`` has in the bars of the song that begin in ``bars``.

    Either may be empty: then its bars are free. So may the result, if every bar is.
    """
    starts_s = lines.seconds(lines.firsts[: lines.bars].astype(np.float64))
    inside = (starts_s >= bars.start_s - AT_BORDER_S) & (starts_s < bars.end_s - AT_BORDER_S)
    free = (None,) * lines.bars
    both = zip(old or free, new or free, inside.tolist(), strict=True)
    spliced = tuple(after if here else before for before, after, here in both)
    return spliced if any(spliced) else ()


def _cut(chart: Chart, start_s: float, end_s: float) -> Chart:
    cut = (replace(s, start_s=max(s.start_s, start_s), end_s=min(s.end_s, end_s)) for s in chart)
    return [span for span in cut if span.end_s > span.start_s]
