"""Mastering: every file at the same loudness, all peaks under a ceiling, stems that add up.

:func:`master` measures a sound, finds the gain that gives the target loudness after the limiter, and measures
the result. The :class:`Master` it returns applies gain and limiter. A sound is passed as a function that
starts its stream, because an hour of samples is not kept in memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from appliance.audio.blocks import BLOCK_SAMPLES, Block, recut
from appliance.audio.limited_loudness import limited_loudness
from appliance.audio.limiter import gain_factors, limited_lufs
from appliance.audio.loudness import Loudness, Measurement, integrated_lufs, measure_curves

Sound = Callable[[], Iterable[Block]]
"""Starts a stream of (n, 2) blocks from its beginning; every call gives the same samples."""

TARGET_LUFS = -16.0
CEILING_DBTP = -1.0

ACCOMPANIMENT_UNDER_VOCAL_LU = 4.0
"""How much softer the band is than the singer in a mix."""

MARGIN_DB = 1.0
"""The limiter aims this far below the ceiling, because the oversampling of our meter lacks the top 2 kHz.
An ideal meter reads a burst of white noise, the worst case, 0.9 dB higher."""

_CLOSE_ENOUGH_LU = 0.1
_MOST_PASSES = 4
_MOST_LIMITING_DB = 15.0
"""Most reduction by the limiter. A sound that would need more (clicks in silence) stays below the target."""


@dataclass(frozen=True, slots=True)
class Master:
    """A gain, and a limiter if the gain alone would push peaks over the ceiling.

    ``aim_dbtp`` is the limiter's own ceiling, None without a limiter. ``measured`` is the measurement of the
    sound before, ``loudness`` that of the mastered sound. An instance takes 12 kB per second of sound.
    """

    gain_db: float
    aim_dbtp: float | None
    measured: Measurement
    loudness: Loudness

    def apply(self, sound: Sound) -> Iterator[Block]:
        """Master ``sound``: the same length, in blocks of (n, 2).

        ``sound`` is the sound that was measured, or one of its stems: stems that add up to the sound then
        add up to the mastered sound.
        """
        blocks = recut(sound(), BLOCK_SAMPLES)
        for block, factors in zip(blocks, recut(self._factors(), BLOCK_SAMPLES), strict=False):
            yield block * factors[: len(block), None]

    def _factors(self) -> Iterator[Block]:
        if self.aim_dbtp is not None:
            return gain_factors(self.measured, self.gain_db, self.aim_dbtp)
        factor = np.full(BLOCK_SAMPLES, 10 ** (self.gain_db / 20), np.float32)
        return repeat(factor)


def total(parts: tuple[Sound, ...], gains_db: tuple[float, ...] | None = None) -> Sound:
    """The sum of ``parts`` of equal length, each with its gain in dB (default: 0)."""
    factors = [np.float32(10 ** (gain / 20)) for gain in gains_db or (0.0,) * len(parts)]

    def stream() -> Iterator[Block]:
        for blocks in zip(*(recut(part(), BLOCK_SAMPLES) for part in parts), strict=True):
            mixed = np.zeros_like(blocks[0])
            for block, factor in zip(blocks, factors, strict=True):
                mixed += block * factor
            yield mixed

    return stream


def master(sound: Sound, target_lufs: float = TARGET_LUFS, ceiling_dbtp: float = CEILING_DBTP) -> Master:
    """Find the gain and limiter that bring ``sound`` to ``target_lufs``, with peaks under ``ceiling_dbtp``.

    Silence, or a sound too short to have a loudness, is only turned down if a peak is too high.
    """
    measured = measure_curves(sound())
    before = measured.loudness
    aim_dbtp = ceiling_dbtp - MARGIN_DB
    if before.integrated_lufs == -math.inf:
        gain_db = min(0.0, aim_dbtp - before.true_peak_dbtp)
        return Master(gain_db, None, measured, Loudness(-math.inf, before.true_peak_dbtp + gain_db))
    gain_db = target_lufs - before.integrated_lufs
    if before.true_peak_dbtp + gain_db <= aim_dbtp:
        return Master(gain_db, None, measured, Loudness(target_lufs, before.true_peak_dbtp + gain_db))

    wanted_lufs = target_lufs
    for _ in range(_MOST_PASSES):
        gain_db, reached = _limiter_gain_db(measured, wanted_lufs, aim_dbtp)
        after = limited_loudness(measured, gain_db, aim_dbtp, sound())
        missing_lu = target_lufs - after.integrated_lufs
        over_db = after.true_peak_dbtp - ceiling_dbtp
        if over_db <= 0 and (abs(missing_lu) <= _CLOSE_ENOUGH_LU or (missing_lu > 0 and not reached)):
            break
        wanted_lufs += missing_lu
        aim_dbtp -= max(0.0, over_db)
    return Master(gain_db, aim_dbtp, measured, after)


def _limiter_gain_db(measured: Measurement, target_lufs: float, aim_dbtp: float) -> tuple[float, bool]:
    """The least gain (dB) that gives ``target_lufs`` after the limiter, and whether that is possible.

    If it is not, the least gain that comes close to the highest possible loudness. Bisection works because
    loudness after the limiter never falls as the gain rises: each step of the limiter answers a rise of the
    input with at most the same rise of the reduction.
    """
    low_db = target_lufs - measured.loudness.integrated_lufs
    high_db = max(low_db, aim_dbtp + _MOST_LIMITING_DB - measured.loudness.true_peak_dbtp)
    most_lufs = limited_lufs(measured, high_db, aim_dbtp)
    reached = most_lufs >= target_lufs
    if not reached:
        target_lufs = most_lufs - _CLOSE_ENOUGH_LU
        low_db = min(low_db, high_db - _MOST_LIMITING_DB)
    while high_db - low_db > 0.01:
        middle_db = (low_db + high_db) / 2
        if limited_lufs(measured, middle_db, aim_dbtp) < target_lufs:
            low_db = middle_db
        else:
            high_db = middle_db
    return high_db, reached


def normalise(
    sound: Sound, target_lufs: float = TARGET_LUFS, ceiling_dbtp: float = CEILING_DBTP
) -> Iterator[Block]:
    """Bring ``sound`` to ``target_lufs`` (within 0.1 LU), peaks under ``ceiling_dbtp``: blocks of (n, 2)."""
    return master(sound, target_lufs, ceiling_dbtp).apply(sound)


def mixed(
    accompaniment: Sound,
    vocal: Sound,
    under_lu: float = ACCOMPANIMENT_UNDER_VOCAL_LU,
    levels: tuple[float, float] | None = None,
) -> Sound:
    """Mix the vocal with the band ``under_lu`` softer, by gated loudness; the mix is not mastered yet.

    The gate ignores pauses, so a singer who rests for a verse keeps the same level. If one of the two is
    silent, both are added as they are. ``levels`` is the loudness (LUFS) of accompaniment and vocal if it is
    known already.
    """
    band_lufs, singer_lufs = levels or (integrated_lufs(accompaniment()), integrated_lufs(vocal()))
    return total((accompaniment, vocal), (0.0, voice_gain_db(band_lufs, singer_lufs, under_lu)))


def voice_gain_db(
    band_lufs: float, singer_lufs: float, under_lu: float = ACCOMPANIMENT_UNDER_VOCAL_LU
) -> float:
    """The gain that sets the singer ``under_lu`` above the band; 0 if one of the two is silent (-inf)."""
    return 0.0 if -math.inf in (band_lufs, singer_lufs) else band_lufs + under_lu - singer_lufs
