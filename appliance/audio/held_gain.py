"""Mastering with a gain that is given: some stems are new, and others are finished already.

The finished ones stay as they are. So where the sum is too loud, the limiter turns down the new ones alone,
by as much as the sum exceeds the limiter's aim.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from appliance.audio.limited_loudness import limited_loudness
from appliance.audio.loudness import Measurement, measure_curves
from appliance.audio.mastering import CEILING_DBTP, MARGIN_DB, Master, Sound, total

MOST_LIMITING_DB = 15.0
"""New stems are turned down by no more; finished ones that are too loud by themselves stay so."""

_MOST_PASSES = 4


def master_at(
    new: Sound,
    gain_db: float,
    aim_dbtp: float | None,
    finished: Sound | None = None,
    ceiling_dbtp: float = CEILING_DBTP,
) -> Master:
    """Master ``new`` with ``gain_db``; its limiter keeps the sum with ``finished`` under ``ceiling_dbtp``.

    ``aim_dbtp`` is where the limiter aims at first, None for its usual place. The loudness in the result is
    that of ``new``, or of the sum.
    """
    aim_dbtp = ceiling_dbtp - MARGIN_DB if aim_dbtp is None else aim_dbtp
    measured = measure_curves(new())
    together = measured
    if finished is not None:
        together = measure_curves(total((new, finished), (gain_db, 0.0))())
    master = Master(gain_db, aim_dbtp, measured, measured.loudness)
    for _ in range(_MOST_PASSES):
        if finished is None:
            after = limited_loudness(measured, gain_db, aim_dbtp, new())
            master = Master(gain_db, aim_dbtp, measured, after)
        else:
            peak = _peaks_to_limit(measured, together, gain_db, aim_dbtp)
            master = Master(gain_db, aim_dbtp, replace(measured, peak=peak), together.loudness)
            if not peak.any():
                break
            after = measure_curves(total((_mastered(master, new), finished))()).loudness
            master = replace(master, loudness=after)
        over_db = master.loudness.true_peak_dbtp - ceiling_dbtp
        if over_db <= 0:
            break
        aim_dbtp -= over_db
    return master


def _mastered(master: Master, sound: Sound) -> Sound:
    return lambda: master.apply(sound)


def _peaks_to_limit(
    new: Measurement, together: Measurement, gain_db: float, aim_dbtp: float
) -> NDArray[np.float32]:
    """Peaks (K,) from which the limiter computes how far each of K periods of ``new`` is turned down.

    Where the sum exceeds the aim by e and the new stems reach p, they are turned down to p - e.
    """
    gain, aim = 10 ** (gain_db / 20), 10 ** (aim_dbtp / 20)
    over = np.maximum(together.peak.astype(np.float64) - aim, 0.0)
    reached = np.maximum(gain * new.peak.astype(np.float64), 1e-9)
    left = np.clip(1.0 - over / reached, 10 ** (-MOST_LIMITING_DB / 20), 1.0)
    peak: NDArray[np.float32] = np.where(over > 0, aim / (gain * left), 0.0).astype(np.float32)
    return peak
