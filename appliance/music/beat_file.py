"""Beats that the user gives: a text file, read strictly, and a grid that covers the whole recording.

The form is that of common beat annotations: a time in seconds a line, and in a second column, if at all,
the beat's number in its bar, 1 for the first. Blanks or a tab part them, ``#`` starts a comment::

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
"""Beats a bar where the file does not say and nobody can hear it."""

CLOSEST_S = 0.1
"""600 beats a minute: what is closer was written down twice."""

_EDGE_BEATS = 8  # beats whose median distance goes on before the first and after the last


def parse_beats(text: str, duration_s: float, name: str) -> BeatGrid:
    """The beats in ``text`` for a recording of ``duration_s`` seconds; ``name`` is the file's, for errors.

    Before the first and after the last beat the grid goes on at the pace of the nearest eight, so that it
    covers the recording. Without a second column there are no downbeats. Confidence is 1.

    Raises:
        UsageError: naming file and line.
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
        raise UsageError(f"{name}: that is {len(times)} beats; write at least two lines like '0.512 1'.")
    return _covering(times, _places(numbers, name), _meter(numbers), duration_s)


def _beat(fields: list[str]) -> tuple[float, int | None]:
    shown = " ".join(fields)
    try:
        time_s = float(fields[0])
        number = int(fields[1]) if len(fields) > 1 else None
    except ValueError:
        raise UsageError(f"{shown!r} is not a time in seconds and, if at all, a beat's number.") from None
    if len(fields) > 2 or not math.isfinite(time_s) or (number is not None and not 1 <= number <= 32):
        raise UsageError(f"{shown!r} must be a time in seconds and, if at all, a beat's number from 1 on.")
    return time_s, number


def _check_time(time_s: float, before: list[float], duration_s: float) -> None:
    if not 0.0 <= time_s < duration_s:
        raise UsageError(f"the beat at {time_s:g} s is outside the recording, which has {duration_s:.3f} s.")
    if before and time_s < before[-1] + CLOSEST_S:
        raise UsageError(f"the beat at {time_s:g} s must come later, the one above is at {before[-1]:g} s.")


def _check_number(number: int | None, before: list[int | None]) -> None:
    last = before[-1]
    if (number is None) != (last is None):
        raise UsageError("some beats have a number and some have none; number all or none.")
    if number is not None and last is not None and number not in (1, last + 1):
        raise UsageError(f"beat {number} follows beat {last}; it must be {last + 1}, or 1 in a new bar.")


def _meter(numbers: list[int | None]) -> int:
    """Beats of the usual bar."""
    lengths = Counter(a for a, b in pairwise(numbers) if a is not None and b == 1)
    if lengths:
        return lengths.most_common(1)[0][0]
    return max((n for n in numbers if n is not None), default=USUAL_METER)


def _places(numbers: list[int | None], name: str) -> list[int] | None:
    """Every beat's number, or None where the file has none."""
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
