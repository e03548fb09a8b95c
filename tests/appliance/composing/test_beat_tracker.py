"""Beat tracker: simulated singing with known beats."""

from __future__ import annotations

import math

import numpy as np
import pytest

from appliance.composing.beat_tracker import track_beats
from appliance.errors import UsageError
from appliance.grid import FRAME_RATE_HZ
from appliance.music.beat_grid import TRUSTED
from appliance.music.score import BeatGrid

# Level: on the beat, off the beat, jitter in seconds, noise floor, share of beats missed.
LEVELS = {
    "clear": (0.8, 0.3, 0.012, 0.02, 0.05),
    "moderate": (0.6, 0.28, 0.020, 0.04, 0.15),
    "weak": (0.4, 0.28, 0.030, 0.05, 0.30),
    "hopeless": (0.15, 0.30, 0.060, 0.08, 0.50),
}


def sing(
    beats: np.ndarray,
    downbeats: np.ndarray,
    duration_s: float,
    level: str,
    seed: int,
    silent_bars: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Activations of beats and bar starts, (T,) each, for a singer who omits beats, syncopates and pauses."""
    rng = np.random.default_rng(seed)
    on, off, jitter, noise, miss = LEVELS[level]
    n = round(duration_s * FRAME_RATE_HZ)
    beat, downbeat = np.zeros(n), np.zeros(n)
    bar_of = np.cumsum(np.isin(np.arange(len(beats)), downbeats))
    rests = silent_bars & (rng.random(bar_of.max() + 1) < 0.25)
    frames = np.arange(n) + 0.5

    def strike(row: np.ndarray, time_s: float, height: float) -> None:
        height = min(0.98, height * rng.lognormal(0, 0.4))
        centre = (time_s + rng.normal() * jitter) * FRAME_RATE_HZ
        np.maximum(row, height * np.exp(-0.5 * ((frames - centre) / 0.7) ** 2), out=row)

    for i, (time_s, gap_s) in enumerate(
        zip(beats, np.diff(beats, append=2 * beats[-1] - beats[-2]), strict=True)
    ):
        if rests[bar_of[i]]:
            continue
        present = 0.2 if rng.random() < miss else 1.0
        strike(beat, time_s, on * present)
        strike(downbeat, time_s, on * present * (0.8 if i in downbeats else 0.25))
        if rng.random() < 0.35:
            strike(beat, time_s + gap_s / 2, off)
            strike(downbeat, time_s + gap_s / 2, 0.3 * off)
    hiss = rng.exponential(noise, (2, n))
    return tuple(np.clip(a, 0, 1).astype(np.float32) for a in (beat + hiss[0], downbeat + hiss[1]))  # type: ignore[return-value]


def f_measure(found: tuple[float, ...], true: np.ndarray, within_s: float = 0.07) -> float:
    """Davies, Degara and Plumbley, 2009."""
    if not len(found):
        return 0.0
    near = np.abs(np.subtract.outer(np.asarray(found), true)) < within_s
    precision, recall = near.any(1).mean(), near.any(0).mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def song(bpm: float, meter: int, duration_s: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    beats = np.arange(rng.uniform(0.05, 0.6), duration_s - 0.05, 60 / bpm)
    return beats, np.arange(int(rng.integers(meter)), len(beats), meter)


STEADY_SONGS = [(72.3, 4), (84.0, 3), (97.7, 4), (104.0, 2), (120.0, 4), (133.1, 3)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("level", "f_at_least", "error_ms"), [("clear", 0.99, 6), ("moderate", 0.99, 8), ("weak", 0.9, 15)]
)
def test_steady_songs_of_a_minute(level: str, f_at_least: float, error_ms: float) -> None:
    scores, tempi, errors, bars = [], [], [], []
    for seed, (bpm, meter) in enumerate(STEADY_SONGS):
        beats, downbeats = song(bpm, meter, 60.0, seed)
        grid = track_beats(*sing(beats, downbeats, 60.0, level, seed), FRAME_RATE_HZ)
        scores.append(f_measure(grid.beats_s, beats))
        tempi.append(abs(grid.bpm / bpm - 1))
        errors.append(np.median(np.abs(np.subtract.outer(beats, np.asarray(grid.beats_s))).min(1)))
        bars.append(f_measure(tuple(grid.beats_s[i] for i in grid.downbeats), beats[downbeats]))
    assert np.mean(scores) >= f_at_least
    assert np.median(tempi) < 0.002
    assert np.median(errors) < error_ms / 1e3
    assert np.mean(bars) > 0.8


def test_the_grid_covers_the_file_though_its_ends_are_silent() -> None:
    beats, downbeats = song(96.0, 4, 80.0, 3)
    beat, downbeat = sing(beats, downbeats, 80.0, "moderate", 3)
    for row in (beat, downbeat):
        row[: int(15 * FRAME_RATE_HZ)] = row[int(65 * FRAME_RATE_HZ) :] = 0
    grid = track_beats(beat, downbeat, FRAME_RATE_HZ)
    assert grid.beats_s[0] < 60 / 96
    assert grid.beats_s[-1] > 80 - 60 / 96 - 0.1
    assert np.abs(np.subtract.outer(beats, np.asarray(grid.beats_s))).min(1).max() < 0.03
    assert f_measure(tuple(grid.beats_s[i] for i in grid.downbeats), beats[downbeats]) > 0.95


def test_a_given_tempo_is_exact_over_three_minutes() -> None:
    beats, downbeats = song(101.37, 3, 180.0, 8)
    grid = track_beats(*sing(beats, downbeats, 180.0, "weak", 8), FRAME_RATE_HZ, bpm=101.37)
    np.testing.assert_allclose(np.diff(grid.beats_s), 60 / 101.37, rtol=1e-9)
    assert grid.meter == 3
    assert abs(np.median(np.asarray(grid.beats_s)[: len(beats)] - beats[: len(grid.beats_s)])) < 0.01
    assert f_measure(tuple(grid.beats_s[i] for i in grid.downbeats), beats[downbeats]) > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_free_singing_is_followed(seed: int) -> None:
    time, beats = 0.3, []
    while time < 89:
        beats.append(time)
        time += 60 / (92 * (1 + 0.07 * math.sin(2 * math.pi * time / 35 + seed)))
    at = np.array(beats)
    grid = track_beats(*sing(at, np.arange(0, len(at), 4), 90.0, "clear", seed), FRAME_RATE_HZ)
    # A steady grid is within 70 ms of about a third of these beats.
    assert f_measure(grid.beats_s, at) > 0.9
    assert grid.confidence > TRUSTED


def test_a_change_of_tempo_is_followed() -> None:
    at = np.concatenate([np.arange(0.2, 45, 60 / 88), np.arange(45.3, 90, 60 / 100)])
    grid = track_beats(*sing(at, np.arange(0, len(at), 4), 90.0, "clear", 4), FRAME_RATE_HZ)
    assert f_measure(grid.beats_s, at) > 0.9


@pytest.mark.slow
def test_confidence_tells_right_from_wrong() -> None:
    confidence, right = [], []
    for seed in range(36):
        rng = np.random.default_rng(seed + 100)
        beats, downbeats = song(float(rng.uniform(60, 150)), int(rng.choice([2, 3, 4])), 30.0, seed)
        level = ("moderate", "weak", "hopeless")[seed % 3]
        grid = track_beats(*sing(beats, downbeats, 30.0, level, seed), FRAME_RATE_HZ)
        confidence.append(grid.confidence)
        right.append(f_measure(grid.beats_s, beats) > 0.75)
    said, was = np.array(confidence), np.array(right)
    trusted = said >= TRUSTED
    assert trusted.sum() >= 12
    assert was[trusted].mean() > 0.9
    assert was[~trusted].mean() < 0.4
    # Calibrated on corpus songs, which are harder: the confidence may be too low, but not too high.
    assert was[trusted].mean() > said[trusted].mean() - 0.05
    assert was[said < 0.1].mean() < 0.1


@pytest.mark.slow
def test_nothing_to_go_by_is_not_trusted() -> None:
    nothing = np.zeros(1000, np.float32)
    assert track_beats(nothing, nothing, FRAME_RATE_HZ) == BeatGrid()
    given = track_beats(nothing, nothing, FRAME_RATE_HZ, bpm=120)
    assert given.confidence == 0.0
    assert given.downbeats == ()
    np.testing.assert_allclose(np.diff(given.beats_s), 0.5)
    for seed in range(6):
        noise = np.random.default_rng(seed).random((2, 1300)).astype(np.float32)
        assert track_beats(noise[0], noise[1], FRAME_RATE_HZ).confidence < TRUSTED


@pytest.mark.parametrize("frames", [0, 1, 2, 5, 30, 86, 87, 130])
@pytest.mark.parametrize("bpm", [None, 33.0, 250.0])
def test_any_length_is_fine(frames: int, bpm: float | None) -> None:
    rows = np.random.default_rng(frames).random((2, frames)).astype(np.float32)
    rows[:, ::7] = np.nan
    grid = track_beats(rows[0], rows[1], FRAME_RATE_HZ, bpm=bpm)
    assert all(0 <= t < frames / FRAME_RATE_HZ for t in grid.beats_s)
    assert list(grid.beats_s) == sorted(grid.beats_s)
    assert all(0 <= i < len(grid.beats_s) for i in grid.downbeats)


@pytest.mark.parametrize("bpm", [0.0, -90.0, math.nan, math.inf, 1000.0])
def test_impossible_tempi_are_refused(bpm: float) -> None:
    with pytest.raises(UsageError, match="give beats per minute between 10 and 400"):
        track_beats(np.ones(100, np.float32), np.ones(100, np.float32), FRAME_RATE_HZ, bpm=bpm)
