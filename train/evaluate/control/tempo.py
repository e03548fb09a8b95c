"""``--bpm`` and ``--beats``: whether onsets lie on the given grid, also after three minutes.

The deviation is the distance of an onset from the nearest quarter or third of its beat, the finest rhythm of
the songs. For random onsets it is about a twenty-fourth of a beat; that chance level is reported too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.score import BeatGrid
from train.band import render as play
from train.evaluate.control.subjects import Composer, Request, Subject, Take
from train.evaluate.judges.note_judge import transcribe
from train.evaluate.processes.progress import steps

POINTS = np.array([0.0, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1.0])
"""Quarters and thirds of a beat."""

Array = NDArray[np.float64]


def deviations_s(onsets_s: Sequence[float], grid: BeatGrid) -> Array:
    """Signed distance in seconds of each onset from the nearest point of ``grid``, without those outside."""
    beats = np.asarray(grid.beats_s)
    onsets = np.asarray([t for t in onsets_s if beats[0] <= t < beats[-1]])
    k = np.searchsorted(beats, onsets, side="right") - 1
    length = beats[k + 1] - beats[k]
    place = (onsets - beats[k]) / length
    distance = place[:, None] - POINTS
    nearest = np.abs(distance).argmin(axis=1)
    return np.asarray(distance[np.arange(len(onsets)), nearest] * length)


def chance_s(grid: BeatGrid) -> float:
    """Median distance in seconds of random onsets from the points of ``grid``."""
    random = np.random.default_rng(0).uniform(grid.beats_s[0], grid.beats_s[-1], 4000)
    return float(np.median(np.abs(deviations_s(random.tolist(), grid))))


def drift_s(onsets_s: Sequence[float], grid: BeatGrid) -> float:
    """How many seconds the onsets fall behind the grid in three minutes, by regression."""
    onsets = [t for t in onsets_s if grid.beats_s[0] <= t < grid.beats_s[-1]]
    return float(np.polyfit(onsets, deviations_s(onsets, grid), 1)[0] * 180.0) if len(onsets) > 2 else 0.0


def steady_grid(bpm: float, through_s: float, duration_s: float) -> BeatGrid:
    """Beats of exactly ``bpm``, one of them at ``through_s``, like a metronome."""
    period = 60.0 / bpm
    first = through_s - period * np.floor(through_s / period)
    return BeatGrid(tuple(np.arange(first, duration_s + period, period).tolist()), (), 1.0)


def measure_tempo(
    composer: Composer, wholes: Sequence[Subject], excerpts: Sequence[Subject]
) -> dict[str, object]:
    """Whole songs with a given tempo, excerpts with given beats, and one excerpt judged as audio."""
    rows = []
    for subject in steps(wholes, "tempo of whole songs", lambda s: s.name):
        bpm = subject.song.grid.bpm
        take = composer.take(subject, Request(bpm=bpm))
        # Aligned once, at the first beat, so that a drift from the tempo shows.
        click = steady_grid(bpm, take.grid.beats_s[0], subject.duration_s)
        truth = np.asarray(subject.times(subject.song.beats_s))
        off = np.abs(np.asarray(take.grid.beats_s)[:, None] - truth).min(axis=1)
        rows.append({"given": "bpm", **_row(subject, take, click), "singer_s": float(np.median(off))})
    for subject in steps(excerpts, "beats given", lambda s: s.name):
        take = composer.take(subject, Request(beats=subject.beats_text()))
        given = subject.times(subject.song.beats_s)
        rows.append({"given": "beats", **_row(subject, take, BeatGrid(tuple(given), (), 1.0))})
    medians = {
        given: float(np.median([row["median_s"] for row in rows if row["given"] == given]))
        for given in ("bpm", "beats")
    }
    worst = {
        given: float(max(row["median_s"] for row in rows if row["given"] == given))  # type: ignore[type-var]
        for given in ("bpm", "beats")
    }
    drift = float(max(abs(row["drift_s"]) for row in rows if row["given"] == "bpm"))  # type: ignore[arg-type]
    heard = _audio(composer, excerpts[0])
    return {"rows": rows, "median_s": medians, "worst_s": worst, "worst_drift_s": drift, "audio": heard}


def _row(subject: Subject, take: Take, grid: BeatGrid) -> dict[str, object]:
    onsets = [n.start_s for n in take.score.notes]
    off = np.abs(deviations_s(onsets, grid))
    return {
        "song": subject.song.id,
        "duration_s": subject.duration_s,
        "bpm": subject.song.grid.bpm,
        "median_s": float(np.median(off)) if len(off) else 0.0,
        "within_25ms": float(np.mean(off <= 0.025)) if len(off) else 1.0,
        "chance_s": chance_s(grid),
        "drift_s": drift_s(onsets, grid),
    }


def _audio(composer: Composer, subject: Subject) -> dict[str, float]:
    """Deviation of onsets transcribed by basic-pitch; coarser, because its frames are 11.6 ms long."""
    asked = Request(beats=subject.beats_text())
    take = composer.take(subject, asked)

    def judge() -> object:
        sound = play(take.score, asked.style, composer.engine.pack.soundfont_path)
        return [note.start_s for note in transcribe(sound, SAMPLE_RATE_HZ)]

    onsets: list[float] = composer.judged("onsets", subject, asked, judge)  # type: ignore[assignment]
    grid = BeatGrid(tuple(subject.times(subject.song.beats_s)), (), 1.0)
    signed = deviations_s(onsets, grid)
    return {
        "median_s": float(np.median(np.abs(signed))),
        "bias_s": float(np.median(signed)),
        "onsets": len(signed),
    }
