"""Beats as text: reads those that the user gives, and extends them over the whole recording.

The format is that of common beat annotations: one beat per line, its time in seconds and optionally its
number in the bar, beginning with 1. Spaces or a tab separate the columns, ``#`` starts a comment::

    0.512   1
    1.104   2
    1.698   3
    2.290   1
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import numpy as np

from appliance.errors import UsageError
from appliance.music.score import BeatGrid

USUAL_METER = 4
"""Beats per bar if the file does not tell."""

CLOSEST_S = 0.1
"""Least distance of two beats (600 beats per minute); closer ones are an error in the file."""

_EDGE_BEATS = 8
"""Number of beats at each end whose median distance extends the grid there."""


def parse_beats(text: str, duration_s: float, name: str) -> BeatGrid:
    """Read the beats in ``text`` for a recording of ``duration_s`` seconds; errors call the file ``name``.

    Before the first and after the last beat, the grid continues at the tempo of the nearest eight beats, so
    that it covers the recording. Without numbers there are no downbeats. The confidence is 1.

    Raises:
        UsageError: the text is not in this format; names file and line.

    >>> parse_beats("1.0 1 \\n 1.5 2 \\n 2.0 1", duration_s=3.0, name="beats.txt").beats_s
    (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
    """
    times: list[float] = []
    numbers: list[int | None] = []
    for line_number, line in enumerate(text.splitlines(), start=1):
        fields = line.partition("#")[0].split()
        if not fields:
            continue
        try:
            time_s, number = _beat(fields)
            _check_time(time_s, times, duration_s)
            if numbers:
                _check_number(number, numbers)
        except UsageError as error:
            raise UsageError(f"{name}, line {line_number}: {error}") from None
        times.append(time_s)
        numbers.append(number)
    if len(times) < 2:
        raise UsageError(f"{name}: {len(times)} beats are too few; write at least two lines like '0.512 1'.")
    return _covering(times, _places(numbers, name), _meter(numbers), duration_s)


def beats_text(grid: BeatGrid) -> str:
    """The beats of ``grid`` as text that :func:`parse_beats` reads, to a tenth of a millisecond.

    >>> print(beats_text(BeatGrid((0.5, 1.0, 1.5, 2.0), downbeats=(1,), meter=3)), end="")
    0.5000 3
    1.0000 1
    1.5000 2
    2.0000 3
    """
    if not grid.downbeats:
        return "".join(f"{beat:.4f}\n" for beat in grid.beats_s)
    lines, starts = [], set(grid.downbeats)
    place = max(2, grid.meter - grid.downbeats[0] + 1)  # a pickup ends on the last beat of a bar
    for index, beat in enumerate(grid.beats_s):
        place = 1 if index in starts else place
        lines.append(f"{beat:.4f} {place}\n")
        place += 1
    return "".join(lines)


def _beat(fields: list[str]) -> tuple[float, int | None]:
    shown = " ".join(fields)
    try:
        time_s = float(fields[0])
        number = int(fields[1]) if len(fields) > 1 else None
    except ValueError:
        raise UsageError(f"{shown!r} is not a time in seconds with an optional beat number.") from None
    if len(fields) > 2 or not math.isfinite(time_s) or (number is not None and not 1 <= number <= 32):
        raise UsageError(f"{shown!r} must be a time in seconds and, optionally, a beat number from 1 to 32.")
    return time_s, number


def _check_time(time_s: float, before: list[float], duration_s: float) -> None:
    if not 0.0 <= time_s < duration_s:
        raise UsageError(f"the beat at {time_s:g} s is outside the recording, which has {duration_s:.3f} s.")
    if before and time_s < before[-1] + CLOSEST_S:
        raise UsageError(
            f"the beat at {time_s:g} s must come later; the previous one is at {before[-1]:g} s."
        )


def _check_number(number: int | None, before: list[int | None]) -> None:
    last = before[-1]
    if (number is None) != (last is None):
        raise UsageError("some beats have a number and some have none; number all or none.")
    if number is not None and last is not None and number not in (1, last + 1):
        raise UsageError(f"beat {number} follows beat {last}; it must be {last + 1}, or 1 in a new bar.")


def _meter(numbers: list[int | None]) -> int:
    """Beats per bar: the most frequent length of a bar."""
    lengths = Counter(a for a, b in pairwise(numbers) if a is not None and b == 1)
    if lengths:
        return lengths.most_common(1)[0][0]
    return max((n for n in numbers if n is not None), default=USUAL_METER)


def _places(numbers: list[int | None], name: str) -> list[int] | None:
    """The number of every beat; None if the file has no numbers."""
    known = [n for n in numbers if n is not None]
    if not known:
        return None
    if 1 not in known:
        raise UsageError(f"{name}: no beat has number 1, so the bars are unknown; leave the numbers out.")
    return known


def _covering(times: list[float], places: list[int] | None, meter: int, duration_s: float) -> BeatGrid:
    first_gap = float(np.median(np.diff(times[: _EDGE_BEATS + 1])))
    last_gap = float(np.median(np.diff(times[-_EDGE_BEATS - 1 :])))
    before = math.floor(times[0] / first_gap + 1e-9)
    after = max(0, math.ceil((duration_s - times[-1]) / last_gap - 1e-9) - 1)
    beats = [times[0] - first_gap * k for k in range(before, 0, -1)]
    beats = [max(0.0, beat) for beat in beats] + times
    beats += [times[-1] + last_gap * (k + 1) for k in range(after)]
    downbeats: list[int] = []
    if places is not None:
        # Counting goes on evenly: backwards from the first number, forwards from the last.
        downbeats += [k for k in range(before) if (places[0] - 1 - (before - k)) % meter == 0]
        downbeats += [before + k for k, place in enumerate(places) if place == 1]
        stop = before + len(places)
        downbeats += [stop + k for k in range(after) if (places[-1] + k) % meter == 0]
    return BeatGrid(tuple(beats), tuple(downbeats), 1.0, meter)
