"""Mastering with a given gain: it is kept, peaks stay under the ceiling, finished stems stay as they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from appliance.audio.held_gain import master_at
from appliance.audio.loudness import measure

RATE_HZ = 44_100


def sine(hz: float, level: float, seconds: float = 4.0, loud: slice | None = None) -> np.ndarray:
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    sound = level * np.sin(2 * np.pi * hz * time)
    if loud is not None:
        sound[loud] *= 4.0
    return np.repeat(sound[:, None], 2, axis=1).astype(np.float32)


def stream(sound: np.ndarray) -> Callable[[], list[np.ndarray]]:
    return lambda: [sound]


def applied(sound: np.ndarray, gain_db: float, finished: np.ndarray | None = None) -> np.ndarray:
    rest = None if finished is None else stream(finished)
    return np.concatenate(list(master_at(stream(sound), gain_db, None, rest).apply(stream(sound))))


def test_a_quiet_sound_gets_the_gain_and_nothing_else() -> None:
    sound = sine(440, 0.1)
    np.testing.assert_allclose(applied(sound, 6.0), sound * 10 ** (6 / 20), rtol=1e-5)
    other = sine(330, 0.1)
    np.testing.assert_allclose(applied(sound, 6.0, other), sound * 10 ** (6 / 20), rtol=1e-5)


@pytest.mark.parametrize("beside", [None, 0.3])
def test_peaks_stay_under_the_ceiling_where_it_is_too_loud(beside: float | None) -> None:
    loud = slice(2 * RATE_HZ, 2 * RATE_HZ + RATE_HZ // 2)
    sound, rest = sine(440, 0.25, loud=loud), None if beside is None else sine(440, beside)
    made = applied(sound, 2.0, rest)
    whole = made if rest is None else made + rest
    assert measure([whole]).true_peak_dbtp <= -1.0
    assert np.abs(whole).max() > 10 ** (-3 / 20)  # and not far under it
    before = slice(0, loud.start - RATE_HZ // 10)
    np.testing.assert_allclose(made[before], sound[before] * 10 ** (2 / 20), rtol=1e-5)


def test_what_is_finished_and_too_loud_silences_nothing() -> None:
    made = applied(sine(440, 0.1), 0.0, sine(440, 1.2))
    level_db = 20 * np.log10(np.abs(made).max() / 0.1)
    assert -16.0 < level_db <= 0.0
