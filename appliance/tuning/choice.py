"""Select a graph's setting from measurements: a pure function, so that tests can simulate any CPU."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.networks.setting import GraphSetting
from appliance.tuning.profile import SAME_DB, Alternative, GraphProfile

MIN_SNR_DB = 40.0
"""A setting with a lower SNR against the shipped setting's output is rejected."""

MIN_ROUNDS = 3
MIN_GAIN = 1.05
"""Least speed-up of a setting. A smaller one may be chance and does not justify different bytes."""

NO_TIME = "no time was left"


@dataclass(frozen=True, slots=True)
class Measurement:
    """Seconds of one forward pass in each round, and the SNR of the output against the shipped setting's.

    ``trouble`` says why the setting does not run on this CPU.
    """

    setting: GraphSetting
    times_s: tuple[float, ...] = ()
    snr_db: float | None = None
    trouble: str = ""


def snr_db(shipped: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """SNR of ``other`` against ``shipped``, two arrays of one shape: 10·log10(signal / difference).

    Identical arrays have SAME_DB. Arrays of different shapes, or with values that are not finite, have
    -SAME_DB.
    """
    if shipped.shape != other.shape or not np.isfinite(other).all():
        return -SAME_DB
    signal = np.square(shipped, dtype=np.float64).sum()
    noise = np.square(shipped.astype(np.float64) - other).sum()
    if noise == 0.0:
        return SAME_DB
    with np.errstate(divide="ignore"):
        return float(np.clip(10 * np.log10(signal / noise), -SAME_DB, SAME_DB - 1))


def choose(shipped: Measurement, others: Sequence[Measurement]) -> GraphProfile:
    """Select the fastest setting that agrees with the shipped one and is clearly faster, or the shipped one.

    A setting that gives the same bytes is preferred if it is about as fast.

    ``times_s`` of all measurements come from the same rounds. Ratios are taken within a round, so that other
    load on the computer slows both sides.
    """
    judged = [_judge(shipped, other) for other in others]
    usable = [alternative for alternative in judged if not alternative.refused]
    same = [alternative for alternative in usable if alternative.snr_db == SAME_DB]
    best = max(usable, key=_gain, default=None)
    if best is not None and same and _gain(best) < MIN_GAIN * _gain(max(same, key=_gain)):
        best = max(same, key=_gain)
    alternatives = tuple(
        alternative.model_copy(update={"refused": "another setting is better"})
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


def _judge(shipped: Measurement, other: Measurement) -> Alternative:
    ratios = [a / b for a, b in zip(shipped.times_s, other.times_s, strict=False) if b > 0]
    ratio = statistics.median(ratios) if ratios else None
    return Alternative(
        setting=other.setting,
        ratio=ratio,
        snr_db=other.snr_db,
        refused=_why_refused(other, ratios),
    )


def _why_refused(other: Measurement, ratios: Sequence[float]) -> str:
    if other.trouble:
        return other.trouble[:500]
    if other.snr_db is not None and other.snr_db < MIN_SNR_DB:
        return f"its output has {other.snr_db:.1f} dB SNR, and {MIN_SNR_DB:.0f} dB are required"
    if other.snr_db is None or len(ratios) < MIN_ROUNDS:
        return NO_TIME
    if statistics.median(ratios) < MIN_GAIN:
        return "not faster"
    if statistics.quantiles(ratios, n=4, method="inclusive")[0] <= 1.0:
        return "not reliably faster"
    return ""


def _ms(times_s: Sequence[float]) -> float | None:
    return round(1e3 * statistics.median(times_s), 3) if times_s else None
