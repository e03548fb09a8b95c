"""Loudness that is measured again only where the limiter acts agrees with measuring everything again."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.audio.limited_loudness import limited_loudness
from appliance.audio.limiter import gain_factors
from appliance.audio.loudness import HOP_SAMPLES, integrated_lufs, measure, measure_curves

RATE_HZ = 44_100


def limited(x: np.ndarray, gain_db: float, aim_dbtp: float) -> np.ndarray:
    factors = np.concatenate(list(gain_factors(measure_curves([x]), gain_db, aim_dbtp)))[: len(x)]
    return x * factors[:, None]


def clicks(samples: int, at: tuple[int, ...]) -> np.ndarray:
    x = 0.05 * np.random.default_rng(3).standard_normal((samples, 2))
    for place in at:
        x[place : place + 40] *= 30.0
    return x.astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("samples", "at"),
    [
        (10 * RATE_HZ, (3 * RATE_HZ,)),
        (10 * RATE_HZ, ()),
        (10 * RATE_HZ + 77, (0, 4 * HOP_SAMPLES - 20, 4 * HOP_SAMPLES + 20, 10 * RATE_HZ)),
        (HOP_SAMPLES, (HOP_SAMPLES - 40,)),
        (HOP_SAMPLES + 1, (HOP_SAMPLES - 20,)),
        (3 * HOP_SAMPLES, (100, HOP_SAMPLES + 6_000, 2 * HOP_SAMPLES + 15_000)),
    ],
)
@pytest.mark.parametrize("gain_db", [0.0, 9.0])
def test_agrees_with_measuring_everything(samples: int, at: tuple[int, ...], gain_db: float) -> None:
    x = clicks(samples, at)
    found = limited_loudness(
        measure_curves([x]), gain_db, -3.0, (x[i : i + 7_000] for i in range(0, len(x), 7_000))
    )
    wanted = measure([limited(x, gain_db, -3.0)])
    assert found.integrated_lufs == pytest.approx(wanted.integrated_lufs, abs=1e-3)
    assert found.true_peak_dbtp == pytest.approx(wanted.true_peak_dbtp, abs=1e-3)


def test_loudness_without_peaks_is_the_same() -> None:
    x = clicks(5 * RATE_HZ, (70_000,))
    assert integrated_lufs([x]) == measure([x]).integrated_lufs
    both = np.repeat(x[:, :1], 2, axis=1)
    one = integrated_lufs([both])  # filtered once, counted twice
    assert one == pytest.approx(integrated_lufs([x[:, :1]]) + 10 * np.log10(2), abs=1e-6)
