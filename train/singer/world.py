"""Analyses monotone speech and synthesises singing by the WORLD vocoder.

M. Morise, F. Yokomori, K. Ozawa, "WORLD: a vocoder-based high-quality speech synthesis system for
real-time applications", IEICE Trans. E99-D(7), 2016; CheapTrick (2015) and D4C (2016) by M. Morise.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from functools import lru_cache
from types import ModuleType, SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from appliance.errors import MachineError
from train.singer.speech import SPEECH_F0_HZ, SPEECH_RATE_HZ

HOP_S = 128 / SPEECH_RATE_HZ
"""Length of a WORLD frame: 5.8 ms, the grid of the synthesis (256 samples at 44.1 kHz)."""

FFT_SIZE = 512
BINS = FFT_SIZE // 2 + 1
_F0_FLOOR_HZ = 130.0
_F0_CEIL_HZ = 180.0
_APERIODICITY_STEP = 4
"""Only every fourth frame is analysed by D4C, the slowest step, because aperiodicity changes slowly."""


@lru_cache(maxsize=1)
def _load() -> Any:
    if importlib.util.find_spec("pyworld") is None:
        raise MachineError("The singer needs pyworld; run pip install -r requirements/tools.txt.")
    if importlib.util.find_spec("pkg_resources") is not None:
        return importlib.import_module("pyworld")
    # pyworld 0.3.5 needs pkg_resources only for its own version; setuptools 82 dropped that module.
    stand_in = SimpleNamespace(get_distribution=lambda _: SimpleNamespace(version="0.3.5"))
    with patch.dict(sys.modules, {"pkg_resources": cast(ModuleType, stand_in)}):
        return importlib.import_module("pyworld")


def analyse(
    samples: NDArray[np.float64],
) -> tuple[NDArray[np.bool_], NDArray[np.float32], NDArray[np.float32]]:
    """Analyse monotone speech (S,) at 22.05 kHz.

    Returns voicing (F,), log power envelope (F, 257) and aperiodicity (F, 257) from 0 to 1, for F frames of
    :data:`HOP_S`.

    Raises:
        MachineError: pyworld is not installed.
    """
    world = _load()
    f0_hz, times_s = world.dio(samples, SPEECH_RATE_HZ, _F0_FLOOR_HZ, _F0_CEIL_HZ, 2.0, HOP_S * 1000.0)
    f0_hz = world.stonemask(samples, f0_hz, times_s, SPEECH_RATE_HZ)
    voiced = np.asarray(f0_hz > 0.0)
    envelope = world.cheaptrick(samples, f0_hz, times_s, SPEECH_RATE_HZ, fft_size=FFT_SIZE)
    coarse = slice(0, None, _APERIODICITY_STEP)
    # Treat all frames as voiced, so that interpolation does not spread the 1.0 of unvoiced frames.
    steady = np.where(voiced, f0_hz, float(SPEECH_F0_HZ))
    rough = world.d4c(
        samples, steady[coarse].copy(), times_s[coarse].copy(), SPEECH_RATE_HZ, fft_size=FFT_SIZE
    )
    at = np.minimum(np.arange(len(voiced)) / _APERIODICITY_STEP, len(rough) - 1.0)
    low = at.astype(np.int64)
    high = np.minimum(low + 1, len(rough) - 1)
    part = (at - low)[:, None]
    aperiodicity = rough[low] * (1.0 - part) + rough[high] * part
    aperiodicity[~voiced] = 1.0
    return voiced, np.log(envelope + 1e-12).astype(np.float32), aperiodicity.astype(np.float32)


def synthesise(
    f0_hz: NDArray[np.float64], envelope: NDArray[np.float64], aperiodicity: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Synthesise F frames: ``f0_hz`` (F,), 0 where unvoiced; power ``envelope`` and ``aperiodicity`` (F,
    257).

    Returns 128 F samples at 22.05 kHz.
    """
    y = _load().synthesize(f0_hz, envelope, aperiodicity, SPEECH_RATE_HZ, HOP_S * 1000.0)
    return np.pad(y, (0, max(0, 128 * len(f0_hz) - len(y))))[: 128 * len(f0_hz)]
