"""The sampler, compared with closed forms, and windows that cover a song."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.composing.sampler import euler, guided, timesteps
from appliance.composing.windows import song_windows


def test_timesteps_run_from_noise_to_data() -> None:
    assert timesteps(4).tolist() == [1.0, 0.75, 0.5, 0.25, 0.0]
    shifted = timesteps(8, shift=3.0)
    assert shifted[0] == 1.0 and shifted[-1] == 0.0
    assert (np.diff(shifted) < 0).all()
    assert shifted[4] == pytest.approx(3 * 0.5 / (1 + 2 * 0.5))


def test_a_straight_path_is_exact_in_any_number_of_steps() -> None:
    rng = np.random.default_rng(0)
    data, noise = rng.standard_normal((2, 64, 16)).astype(np.float32)
    for steps in (1, 3, 16):
        found = euler(lambda x, t, stride: noise - data, noise, timesteps(steps, 2.0))
        assert np.allclose(found, data, atol=1e-5)


def test_euler_converges_on_a_curved_path() -> None:
    # dx/dt = x from t = 1 to 0 gives x·exp(-1)
    start = np.ones(3, np.float32)
    errors = [abs(euler(lambda x, t, stride: x, start, timesteps(n))[0] - np.exp(-1)) for n in (8, 16, 32)]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.1)


def test_guidance_of_one_is_the_condition() -> None:
    a, b = np.float32([1, 2]), np.float32([0, 5])
    assert np.array_equal(guided(a, b, 1.0), a)
    assert guided(a, b, 3.0).tolist() == [3.0, -4.0]


@pytest.mark.parametrize("frames", [1, 2, 191, 256, 257, 448, 449, 5000])
def test_windows_make_every_frame_once(frames: int) -> None:
    windows = song_windows(frames, 256, 64)
    made = np.zeros(windows[-1].first + 256, int)
    for window in windows:
        made[window.first + window.known : window.first + window.length] += 1
    assert (made == 1).all()
    assert len(made) >= frames
    assert windows[-1].first + windows[-1].known < frames
    assert all(w.first % 2 == 0 for w in windows)


def test_windows_without_context_are_refused() -> None:
    with pytest.raises(ValueError, match="context"):
        song_windows(100, 256, 0)
