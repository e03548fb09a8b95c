"""Loudness, limiter and mastering, compared with independent meters."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import numpy as np
import pyloudnorm
import pytest
from scipy.signal import resample_poly

from appliance.audio.blocks import Spool, recut
from appliance.audio.loudness import Loudness, measure
from appliance.audio.mastering import Sound, master, mixed, normalise, total

RATE_HZ = 44_100

# ITU-R BS.1770-4, annex 2: the two of four phases that are not mirror images of the others.
_PHASE_0 = (
    0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000, -0.0594482421875, 0.1373291015625,
    0.9721679687500, -0.1022949218750, 0.0476074218750, -0.0266113281250, 0.0148925781250, -0.0083007812500,
)  # fmt: skip
_PHASE_1 = (
    -0.0291748046875, 0.0292968750000, -0.0517578125000, 0.0891113281250, -0.1665039062500, 0.4650878906250,
    0.7797851562500, -0.2003173828125, 0.1015625000000, -0.0582275390625, 0.0330810546875, -0.0189208984375,
)  # fmt: skip


def annex_2_peak_dbtp(x: np.ndarray) -> float:
    """The true-peak meter of BS.1770-4, annex 2: four phases of a polyphase filter."""
    phases = (_PHASE_0, _PHASE_1, _PHASE_1[::-1], _PHASE_0[::-1])
    return 20 * np.log10(max(np.abs(np.convolve(x[:, c], h)).max() for h in phases for c in (0, 1)))


def ideal_peak_dbtp(x: np.ndarray) -> float:
    """16 times oversampled with a filter that is flat to 21.9 kHz."""
    half = 64 * 16
    taps = np.sinc(np.arange(-half, half + 1) / 16) * np.kaiser(2 * half + 1, 9)
    return 20 * np.log10(np.abs(resample_poly(x.astype(np.float64), 16, 1, window=taps / taps.sum())).max())


def reference_lufs(x: np.ndarray) -> float:
    return pyloudnorm.Meter(RATE_HZ, filter_class="DeMan").integrated_loudness(x.astype(np.float64))


def piano(seconds: float, notes_per_s: float, range_db: float, seed: int) -> np.ndarray:
    """Struck strings: sharp peaks over a soft decay, some pauses."""
    rng = np.random.default_rng(seed)
    x = np.zeros((int(seconds * RATE_HZ), 2))
    for _ in range(int(seconds * notes_per_s)):
        start = rng.integers(0, len(x) - 4410)
        t = np.arange(min(len(x) - start, 2 * RATE_HZ)) / RATE_HZ
        f_hz = 27.5 * 2 ** rng.uniform(1, 6)
        note = np.zeros(len(t))
        for k in range(1, 9):
            if k * f_hz < 18_000:
                note += (
                    np.sin(2 * np.pi * k * f_hz * t + rng.uniform(0, 6))
                    / k**1.2
                    * np.exp(-t * (1.5 + 0.7 * k))
                )
        note[:400] += rng.standard_normal(400) * np.exp(-np.arange(400) / 60)
        place = rng.uniform(0.3, 0.7)
        gain = 10 ** (-rng.uniform(0, range_db) / 20)
        x[start : start + len(t)] += gain * note[:, None] * np.array([place, 1 - place])
    return x


def every_second(x: np.ndarray, samples: int) -> np.ndarray:
    return x * (np.arange(len(x)) % RATE_HZ < samples)[:, None]


@cache
def signal(name: str) -> np.ndarray:
    rng = np.random.default_rng(7)
    n = 3 * RATE_HZ
    t = np.arange(n)[:, None] * np.ones((1, 2)) / RATE_HZ
    signals = {
        "piano": lambda: piano(5, 3, 20, 1),
        "sparse piano": lambda: piano(7, 0.6, 30, 2),
        "noise": lambda: 0.1 * rng.standard_normal((n, 2)),
        "noise bursts": lambda: every_second(rng.standard_normal((n, 2)), 4000),
        "one side": lambda: np.array([0.3, 0.0]) * np.sin(2 * np.pi * 997 * t),
        "bass": lambda: 0.9 * np.sin(2 * np.pi * 55 * t) * np.exp(-3 * (t % 1)),
        "loud start": lambda: rng.standard_normal((n, 2)) * np.where(t < 0.05, 1.5, 0.02),
        "loud end": lambda: rng.standard_normal((n, 2)) * np.where(t > 2.9, 1.5, 0.05),
        "between samples": lambda: every_second(np.sin(np.pi / 2 * RATE_HZ * t + np.pi / 4), 3000),
        "very soft": lambda: 2e-3 * rng.standard_normal((n, 2)),
        "one second": lambda: piano(1, 5, 10, 3),
    }
    return signals[name]().astype(np.float32)


NAMES = (
    "piano", "sparse piano", "noise", "noise bursts", "one side", "bass", "loud start", "loud end",
    "between samples", "very soft", "one second",
)  # fmt: skip
OUT_OF_REACH = ("noise bursts", "loud start", "loud end")


def sound(x: np.ndarray, block_samples: int = 50_000) -> Sound:
    return lambda: (x[i : i + block_samples] for i in range(0, len(x), block_samples))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_integrated_loudness_agrees_with_pyloudnorm(name: str) -> None:
    x = signal(name)
    assert measure([x]).integrated_lufs == pytest.approx(reference_lufs(x), abs=0.01)


def test_calibration() -> None:
    """BS.1770-4: a sine of 997 Hz at full scale in one channel reads -3.01 LUFS."""
    x = np.zeros((5 * RATE_HZ, 2), np.float32)
    x[:, 0] = np.sin(2 * np.pi * 997 * np.arange(len(x)) / RATE_HZ)
    assert measure([x]).integrated_lufs == pytest.approx(-3.01, abs=0.01)
    assert measure([x]).true_peak_dbtp == pytest.approx(0.0, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("hz", [997.0, 5_000.0, 11_025.0, 15_000.0])
def test_true_peak_of_tones_that_hide_between_samples(hz: float) -> None:
    t = np.arange(RATE_HZ)
    fade = np.minimum(1, np.minimum(t, t[::-1]) / 2000)
    x = (fade * np.sin(2 * np.pi * hz / RATE_HZ * t + np.pi / 4)).astype(np.float32)[:, None].repeat(2, 1)
    # Four times oversampled, a meter may read a tone of 15 kHz 0.3 dB too low (annex 2, appendix 1).
    assert measure([x]).true_peak_dbtp == pytest.approx(0.0, abs=0.35)
    assert measure([x]).true_peak_dbtp == pytest.approx(ideal_peak_dbtp(x), abs=0.35)


def test_silence_and_too_little() -> None:
    nothing = Loudness(-np.inf, -np.inf)
    assert measure([]) == nothing
    assert measure([np.zeros((RATE_HZ, 2), np.float32)]) == nothing
    short = measure([np.full((17_000, 2), 0.5, np.float32)])
    assert short.integrated_lufs == -np.inf and short.true_peak_dbtp > -7


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_mastered_loudness_and_peak_by_foreign_meters(name: str) -> None:
    x = signal(name)
    found = master(sound(x))
    y = np.concatenate(list(found.apply(sound(x))))
    assert y.shape == x.shape and y.dtype == np.float32
    assert ideal_peak_dbtp(y) <= -1.0
    assert annex_2_peak_dbtp(y) <= -1.0
    lufs = reference_lufs(y)
    assert found.loudness.integrated_lufs == pytest.approx(lufs, abs=0.02)
    if name in OUT_OF_REACH:  # crest factors beyond any music: softer, but never over the ceiling
        assert lufs <= -15.9
    else:
        assert lufs == pytest.approx(-16.0, abs=0.12)


def test_what_needs_no_limiter_is_only_scaled() -> None:
    x = signal("noise")
    found = master(sound(x))
    y = np.concatenate(list(found.apply(sound(x))))
    assert found.aim_dbtp is None
    assert np.array_equal(y, x * np.float32(10 ** (found.gain_db / 20)))


def test_the_limiter_is_neither_late_nor_abrupt() -> None:
    x = signal("piano")
    y = np.concatenate(list(normalise(sound(x))))
    loud = np.abs(x[:, 0]) > 1e-3
    gain = y[:, 0][loud] / x[:, 0][loud]
    assert gain.min() > 0 and gain.max() / gain.min() > 1.2  # it does limit here
    # The gain never changes by more than 0.4 % from one audible sample to the next.
    steps = np.diff(np.flatnonzero(loud)) == 1
    assert np.abs(np.diff(np.log(gain)))[steps].max() < 0.004


@pytest.mark.parametrize("block_samples", [1_000, 4_410, 65_536, 10**9])
def test_block_size_changes_no_byte(block_samples: int) -> None:
    x = signal("one second")
    assert measure(sound(x, block_samples)()) == measure([x])
    y = np.concatenate(list(normalise(sound(x, block_samples))))
    assert y.tobytes() == np.concatenate(list(normalise(sound(x)))).tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("samples", [44_100, 44_101, 65_535, 65_536, 65_537, 131_072, 99_991, 60_030])
def test_length_is_kept_to_the_sample(samples: int) -> None:
    x = signal("piano")[:samples]
    y = np.concatenate(list(normalise(sound(x))))
    assert len(y) == samples
    assert ideal_peak_dbtp(y) <= -1.0


@pytest.mark.slow
def test_stems_add_up_to_the_mastered_sound() -> None:
    stems = [piano(6, 3, 20, seed).astype(np.float32) for seed in (4, 5, 6)]
    whole = total(tuple(sound(s) for s in stems))
    found = master(whole)
    assert found.aim_dbtp is not None
    mastered = np.concatenate(list(found.apply(whole)))
    parts = [np.concatenate(list(found.apply(sound(s)))) for s in stems]
    assert np.abs(sum(parts) - mastered).max() < 2**-20


def test_silence_stays_silence() -> None:
    x = np.zeros((RATE_HZ, 2), np.float32)
    assert not np.concatenate(list(normalise(sound(x)))).any()


@pytest.mark.slow
def test_a_mix_has_the_band_four_lu_under_the_singer() -> None:
    band, voice = signal("piano"), 0.03 * signal("piano")[::-1]
    mix = np.concatenate(list(mixed(sound(band), sound(voice))()))
    singer = mix - band
    assert reference_lufs(singer) - reference_lufs(band) == pytest.approx(4.0, abs=0.02)
    finished = np.concatenate(list(normalise(mixed(sound(band), sound(voice)))))
    assert reference_lufs(finished) == pytest.approx(-16.0, abs=0.12)
    assert ideal_peak_dbtp(finished) <= -1.0


def test_a_mix_with_silence_is_the_other() -> None:
    x, silent = signal("one second"), np.zeros_like(signal("one second"))
    for mix in (mixed(sound(x), sound(silent)), mixed(sound(silent), sound(x))):
        assert np.array_equal(np.concatenate(list(mix())), x)


def test_parts_of_different_length_are_an_error() -> None:
    x = signal("one second")
    with pytest.raises(ValueError):
        list(total((sound(x), sound(x[:-1])))())


def test_spool_gives_back_what_it_got(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("spool")
    x = signal("piano")
    with Spool(folder) as spool:
        for block in recut([x], 12_345):
            spool.append(block)
        assert spool.samples == len(x)
        one, other = spool.blocks(), spool.blocks()  # two readers at once
        pairs = [(next(one), next(other)) for _ in range(2)]
        assert all(np.array_equal(a, b) for a, b in pairs)
        assert np.array_equal(np.concatenate(list(spool.blocks())), x)
    assert not list(folder.iterdir())


@pytest.mark.slow
def test_memory_hardly_grows_with_length() -> None:
    """Four minutes are 85 MB of samples; their measurement takes 3 MB."""
    script = """
import resource
import numpy as np
from appliance.audio.mastering import master, normalise
block = np.random.default_rng(0).standard_normal((44_100, 2)).astype(np.float32)
block[:2000] *= 5
def sound(seconds):
    return lambda: (block for _ in range(seconds))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sum(len(b) for b in normalise(sound(20)))
before = peak()
print(sum(len(b) for b in normalise(sound(240))), peak() - before)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    samples, grown_kib = map(int, result.stdout.split())
    assert samples == 240 * RATE_HZ
    assert grown_kib < 16 * 1024
