"""Bars, divisions of the beat and changes of tempo, from singing whose beats are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from appliance.composing.bars import Accents, find_bars
from appliance.composing.beat_evidence import BeatEvidence
from appliance.composing.beat_tracker import double_time, half_time, track_beats
from appliance.composing.tempo_sections import tempo_sections
from appliance.grid import FRAME_RATE_HZ, FRAMES_PER_PLAN
from appliance.music.beat_grid import TRUSTED
from appliance.music.score import BeatGrid


def activation(times_s: np.ndarray, duration_s: float, heights: np.ndarray | float = 0.8) -> np.ndarray:
    """(T,): a pulse at each time, over a floor."""
    frames = np.arange(round(duration_s * FRAME_RATE_HZ)) + 0.5
    row = np.full(len(frames), 0.03)
    for time_s, height in zip(times_s, np.broadcast_to(heights, times_s.shape), strict=True):
        np.maximum(row, height * np.exp(-0.5 * ((frames - time_s * FRAME_RATE_HZ) / 0.7) ** 2), out=row)
    return row.astype(np.float32)


def onsets_at(times_s: np.ndarray, duration_s: float) -> np.ndarray:
    """(2T,): clear onsets, two values a frame."""
    row = np.zeros(2 * round(duration_s * FRAME_RATE_HZ), np.float32)
    row[np.minimum((times_s * 2 * FRAME_RATE_HZ).astype(int), len(row) - 1)] = 1.0
    return row


def plan_of(starts_s: np.ndarray, duration_s: float) -> np.ndarray:
    """(24, P): another triad from each of the times on."""
    frames = int(duration_s * FRAME_RATE_HZ / FRAMES_PER_PLAN)
    centres_s = (np.arange(frames) + 0.5) * FRAMES_PER_PLAN / FRAME_RATE_HZ
    which = np.searchsorted(starts_s, centres_s, side="right")
    plan = np.zeros((24, frames), np.float32)
    roots = np.array([0, 5, 7, 9, 2, 4])[which % 6]
    for tone in (0, 4, 7):
        plan[(roots + tone) % 12, np.arange(frames)] = 0.9
    plan[12 + roots, np.arange(frames)] = 0.9
    return plan


def furthest(times_s: np.ndarray, found_s: Sequence[float]) -> float:
    """The largest distance of any of the times from the nearest that was found."""
    return float(np.abs(times_s[:, None] - np.asarray(found_s)).min(axis=1).max())


class Song:
    """``bars`` bars whose notes begin at ``rhythm`` (in beats), with another chord in each bar.

    The activations do not tell which beats begin a bar.
    """

    def __init__(self, meter: int, rhythm: list[float], bpm: float = 110.0, bars: int = 14) -> None:
        self.beats_s = 0.4 + np.arange(meter * bars) * 60.0 / bpm
        self.duration_s = float(self.beats_s[-1]) + 60.0 / bpm
        self.starts_s = self.beats_s[::meter]
        places = np.add.outer(self.starts_s, np.array(rhythm) * 60.0 / bpm).ravel()
        self.beat = activation(self.beats_s, self.duration_s)
        self.downbeat = activation(self.beats_s, self.duration_s, 0.4)
        self.accents = Accents(plan_of(self.starts_s, self.duration_s), onsets_at(places, self.duration_s))

    @property
    def grid(self) -> BeatGrid:
        return track_beats(self.beat, self.downbeat, accents=self.accents)


SONGS = {
    "2/4 or 4/4": ((4, 4), Song(4, [0, 1, 2, 2.5, 3])),
    "3/4": ((3, 4), Song(3, [0, 1, 1.5, 2])),
    "5/4": ((5, 4), Song(5, [0, 1, 2, 3])),
    "5/4 of two and three": ((5, 4), Song(5, [0, 0.5, 2, 3, 4])),
    "7/4": ((7, 4), Song(7, [0, 1, 2, 4, 5.5])),
    "7/8": ((7, 8), Song(7, [0, 2, 4, 5, 6], bpm=200.0)),
    "6/8": ((6, 8), Song(2, [0, 2 / 3, 1, 4 / 3, 5 / 3], bpm=70.0)),
    "9/8": ((9, 8), Song(3, [0, 1 / 3, 2 / 3, 1, 5 / 3, 2], bpm=70.0)),
    "12/8": ((12, 8), Song(4, [0, 2 / 3, 1, 5 / 3, 2, 7 / 3, 8 / 3, 3], bpm=70.0)),
}


@pytest.mark.parametrize("name", SONGS)
def test_the_meter_is_heard(name: str) -> None:
    signature, song = SONGS[name]
    grid = song.grid
    assert grid.signature == signature
    assert furthest(song.beats_s, grid.beats_s) < 0.05
    assert furthest(song.starts_s, [grid.beats_s[i] for i in grid.downbeats]) < 0.05
    assert grid.meter_confidence > 0.5


def test_where_nothing_tells_the_meter_it_is_unsure() -> None:
    song = Song(4, [0, 1, 2, 3])
    even = Accents(np.full_like(song.accents.plan, 0.3), song.accents.onsets)
    grid = track_beats(song.beat, song.downbeat, accents=even)
    assert grid.meter_confidence < 0.6
    assert song.grid.meter_confidence > 0.9


def test_a_change_of_tempo_is_found_where_it_is() -> None:
    before, after = 0.3 + np.arange(17) * 0.75, 0.3 + 16 * 0.75 + np.arange(1, 29) * 0.5
    beats_s = np.concatenate([before, after])
    beat = activation(beats_s, 27.0)
    first, second = tempo_sections(BeatEvidence.of(beat, FRAME_RATE_HZ))
    assert (60 / first.period_s, 60 / second.period_s) == pytest.approx((80, 120), rel=0.02)
    grid = track_beats(beat, activation(beats_s[::4], 27.0))
    assert [bpm for _, bpm in grid.tempi] == pytest.approx([80, 120], rel=0.01)
    assert grid.tempi[1][0] == pytest.approx(12.3, abs=0.8)
    off = np.abs(np.asarray(grid.beats_s)[:, None] - beats_s).min(axis=1)
    assert np.mean(off < 0.05) > 0.95
    assert grid.confidence > TRUSTED


def test_three_tempi_are_found() -> None:
    parts, time = [], 0.4
    for bpm, count in ((90, 32), (140, 44), (104, 36)):
        parts.append(time + np.arange(count) * 60 / bpm)
        time = float(parts[-1][-1]) + 60 / bpm
    beats_s = np.concatenate(parts)
    grid = track_beats(activation(beats_s, time), activation(beats_s[::4], time))
    assert [bpm for _, bpm in grid.tempi] == pytest.approx([90, 140, 104], rel=0.02)


@pytest.mark.parametrize("bpm", [61.0, 92.0, 128.0])
@pytest.mark.parametrize("seed", range(3))
def test_one_tempo_stays_one(bpm: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    beats_s = np.arange(0.4, 70, 60 / bpm)
    sung = beats_s + rng.normal(0, 0.015, len(beats_s))
    beat = activation(sung, 71.0, rng.uniform(0.1, 0.9, len(beats_s)))
    grid = track_beats(beat, activation(sung[::4], 71.0))
    assert len(grid.tempi) == 1


def test_parts_that_speak_for_another_tempo_lower_the_confidence() -> None:
    beats_s = np.arange(0.4, 60, 0.6)
    calm = track_beats(activation(beats_s, 60.0), activation(beats_s[::4], 60.0))
    rng = np.random.default_rng(2)
    odd = np.concatenate([beats_s[beats_s < 30], np.sort(rng.uniform(30, 60, 60))])
    torn = track_beats(activation(odd, 60.0), activation(odd[::4], 60.0))
    assert torn.confidence < calm.confidence - 0.1


@pytest.mark.parametrize("bpm", [84.0, 120.0])
def test_half_and_double_time_keep_to_what_is_sung(bpm: float) -> None:
    song = Song(4, [0, 1, 2, 2.5, 3], bpm=bpm)
    rows = np.stack([song.beat, song.downbeat])
    grid = song.grid
    half, double = half_time(grid, rows, song.accents), double_time(grid, rows, song.accents)
    assert (half.bpm, double.bpm) == pytest.approx((bpm / 2, 2 * bpm), rel=0.01)
    assert set(half.beats_s) <= set(grid.beats_s) <= set(double.beats_s)
    heard = {round(grid.beats_s[i], 3) for i in grid.downbeats}
    assert heard <= {round(t, 3) for t in half.beats_s}  # a bar's start stays a beat
    assert half.downbeats and double.downbeats
    assert half.confidence == grid.confidence


def test_hardly_any_beats() -> None:
    for count in range(4):
        times_s = 0.5 + 0.5 * np.arange(count)
        bars = find_bars(times_s, BeatEvidence.of(np.zeros(60), FRAME_RATE_HZ), None)
        assert all(0 <= start < count for start in bars.downbeats)
        grid = BeatGrid(tuple(times_s.tolist()))
        rows = np.zeros((2, 60), np.float32)
        assert len(half_time(grid, rows).beats_s) <= max(count, 2)
        assert len(double_time(grid, rows).beats_s) >= count
