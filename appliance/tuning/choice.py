"""From measurements to a choice: a pure function, so that what it would do on any machine can be tested."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.networks.setting import GraphSetting
from appliance.tuning.profile import SAME_DB, Alternative, GraphProfile

AGREEMENT_DB = 40.0
"""A setting whose output agrees less than this with the pack as shipped is never used."""

LEAST_ROUNDS = 3
LEAST_GAIN = 1.05
"""A setting must be so many times as fast; less is not worth other bytes, and may be chance."""

NO_TIME = "no time was left"


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of one evaluation in each round, and how well the output agrees with the one as shipped.

    ``trouble`` says why a setting could not be computed at all.
    """

    setting: GraphSetting
    times_s: tuple[float, ...] = ()
    snr_db: float | None = None
    trouble: str = ""


def snr_db(shipped: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """10·log10 of signal over difference, at most SAME_DB; -SAME_DB where they cannot be compared."""
    if shipped.shape != other.shape or not np.isfinite(other).all():
        return -SAME_DB
    signal = np.square(shipped, dtype=np.float64).sum()
    noise = np.square(shipped.astype(np.float64) - other).sum()
    if noise == 0.0:
        return SAME_DB
    with np.errstate(divide="ignore"):
        return float(np.clip(10 * np.log10(signal / noise), -SAME_DB, SAME_DB - 1))


def chosen(shipped: Measured, others: Sequence[Measured]) -> GraphProfile:
    """The fastest setting that agrees and is clearly faster than the one as shipped, else that one.

    Other bytes are not worth it where a setting that gives the same bytes is about as fast.

    ``times_s`` of all are in the order of the same rounds: each round's ratio compares neighbours in time,
    so that a computer that is busy for a while slows both sides.
    """
    judged = [_judged(shipped, other) for other in others]
    usable = [alternative for alternative in judged if not alternative.refused]
    same = [alternative for alternative in usable if alternative.snr_db == SAME_DB]
    best = max(usable, key=_gain, default=None)
    if best is not None and same and _gain(best) < LEAST_GAIN * _gain(max(same, key=_gain)):
        best = max(same, key=_gain)
    alternatives = tuple(
        alternative.model_copy(update={"refused": "another is better"})
        if alternative in usable and alternative is not best
        else alternative
        for alternative in judged
    )
    setting = shipped.setting if best is None else best.setting
    times_s = next((other.times_s for other in others if other.setting == setting), shipped.times_s)
    return GraphProfile(
        chosen=setting,
        ms=_ms(times_s),
        shipped_ms=_ms(shipped.times_s),
        alternatives=alternatives,
        unmeasured="" if shipped.times_s else shipped.trouble or NO_TIME,
    )


def _gain(alternative: Alternative) -> float:
    return alternative.ratio or 0.0


def _judged(shipped: Measured, other: Measured) -> Alternative:
    ratios = [a / b for a, b in zip(shipped.times_s, other.times_s, strict=False) if b > 0]
    ratio = statistics.median(ratios) if ratios else None
    return Alternative(
        setting=other.setting,
        ratio=ratio,
        snr_db=other.snr_db,
        refused=_refused(other, ratios),
    )


def _refused(other: Measured, ratios: Sequence[float]) -> str:
    if other.trouble:
        return other.trouble[:500]
    if other.snr_db is not None and other.snr_db < AGREEMENT_DB:
        return f"its output agrees to {other.snr_db:.1f} dB only, {AGREEMENT_DB:.0f} are needed"
    if other.snr_db is None or len(ratios) < LEAST_ROUNDS:
        return NO_TIME
    if statistics.median(ratios) < LEAST_GAIN:
        return "not faster"
    if statistics.quantiles(ratios, n=4, method="inclusive")[0] <= 1.0:
        return "not reliably faster"
    return ""


def _ms(times_s: Sequence[float]) -> float | None:
    return round(1e3 * statistics.median(times_s), 3) if times_s else None
