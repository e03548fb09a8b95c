"""Uses of a beat grid: beat and bar phases for the networks, and quantisation of notes.

A grid that is more likely wrong than right counts as unknown (:func:`trusted`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAME_RATE_HZ
from appliance.music.score import BeatGrid, Note, Score

TRUSTED = 0.5
"""Least confidence of a grid that :func:`phases` and :func:`snap` use."""

SNAP_LIMIT_S = 0.06
"""Longest move of a note by :func:`snap`: half a sixteenth note at 125 bpm."""


def trusted(grid: BeatGrid) -> bool:
    """Whether ``grid`` has beats, and its confidence is at least :data:`TRUSTED`."""
    return len(grid.beats_s) > 1 and grid.confidence >= TRUSTED


def phases(grid: BeatGrid, n_frames: int, frame_rate_hz: float = FRAME_RATE_HZ) -> NDArray[np.float32]:
    """Beat and bar phase at the centre of each frame: (5, T) float32, T = ``n_frames``.

    Rows: sine and cosine of the beat phase, sine and cosine of the bar phase, 1. A phase is 0 on the beat,
    or on the first beat of the bar. The bar rows are 0 for a grid without downbeats, all rows for a grid that
    is not :func:`trusted`. Before the first and after the last beat, tempo and meter continue.

    >>> grid = BeatGrid((0.0, 1.0, 2.0), downbeats=(0, 2), confidence=1.0, meter=2)
    >>> phases(grid, n_frames=4, frame_rate_hz=2.0).round(1).tolist()[0]  # centres: 0.25, 0.75, 1.25, 1.75 s
    [1.0, -1.0, 1.0, -1.0]
    """
    rows = np.zeros((5, n_frames), dtype=np.float32)
    if not trusted(grid):
        return rows
    centres_s = np.asarray((np.arange(n_frames) + 0.5) / frame_rate_hz, np.float64)
    beat = extrapolated(centres_s, np.asarray(grid.beats_s), np.arange(len(grid.beats_s), dtype=np.float64))
    rows[0], rows[1] = np.sin(2 * np.pi * beat), np.cos(2 * np.pi * beat)
    if grid.downbeats:
        starts = np.asarray(grid.downbeats, dtype=np.float64)
        starts = np.concatenate([[starts[0] - grid.meter], starts, [starts[-1] + grid.meter]])
        bar = extrapolated(beat, starts, np.arange(len(starts), dtype=np.float64))
        rows[2], rows[3] = np.sin(2 * np.pi * bar), np.cos(2 * np.pi * bar)
    rows[4] = 1.0
    return rows


def extrapolated(
    x: NDArray[np.float64], xs: NDArray[np.float64], ys: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``np.interp`` that extrapolates the first and the last segment; all arguments are (N,) or shorter."""
    y: NDArray[np.float64] = np.interp(x, xs, ys)
    before, after = x < xs[0], x > xs[-1]
    y[before] = ys[0] + (x[before] - xs[0]) * (ys[1] - ys[0]) / (xs[1] - xs[0])
    y[after] = ys[-1] + (x[after] - xs[-1]) * (ys[-1] - ys[-2]) / (xs[-1] - xs[-2])
    return y


def snap(score: Score, grid: BeatGrid, subdivisions: tuple[int, ...] = (4, 3, 2, 1)) -> Score:
    """Quantise: move each onset to the nearest point of its beat's subdivision; ends move along.

    All beats use the subdivision that fits the whole song best; a beat uses another one only if that fits its
    notes far better. Fit is the squared distance, relative to that of random onsets. A note further than
    :data:`SNAP_LIMIT_S` from its point stays. Notes of one group and pitch that meet on a point become one,
    the longest and loudest; a note ends where the next of its pitch begins. A grid that is not
    :func:`trusted` leaves the score unchanged.

    Raises:
        ValueError: ``subdivisions`` is empty or holds a number below 1.

    >>> grid = BeatGrid((0.0, 1.0, 2.0, 3.0), confidence=1.0)
    >>> late = Score.of([Note(1.04, 1.54, 60, 80, "keys")], duration_s=4.0)
    >>> [note.start_s for note in snap(late, grid).notes]
    [1.0]
    """
    if not subdivisions or min(subdivisions) < 1:
        raise ValueError(f"subdivisions of a beat are 1 or more, not {subdivisions}")
    if not trusted(grid) or not score.notes:
        return score
    beats_s = np.asarray(grid.beats_s)
    index = np.arange(len(beats_s), dtype=np.float64)
    start_s = np.array([note.start_s for note in score.notes])
    position = extrapolated(start_s, beats_s, index)
    points = np.stack([np.round(position * d) / d for d in subdivisions])
    moves_s = extrapolated(points.ravel(), index, beats_s).reshape(points.shape) - start_s
    # Squared distance divided by its expectation for random onsets, 1/12 of the squared spacing.
    chance = ((points - position) * np.array(subdivisions)[:, None]) ** 2 * 12
    of_song = chance.mean(axis=1)
    _, beat = np.unique(np.floor(position + 0.5 / max(subdivisions)), return_inverse=True)
    of_beat = np.stack([np.bincount(beat, weights=row) for row in chance]) / np.bincount(beat)
    places = np.bincount(np.unique([beat, np.round(position * 12)], axis=1)[0].astype(np.intp))
    usual = int(of_song.argmin())
    # One or two onsets fit some subdivision by chance: a beat needs three to have its own.
    differs = (places >= 3) & (of_beat.min(0) < 0.1 * of_beat[usual])
    chosen = np.where(differs, of_beat.argmin(0), usual)[beat]
    move_s = moves_s[chosen, np.arange(len(start_s))]
    landing = start_s + move_s
    stays = (np.abs(move_s) > SNAP_LIMIT_S) | (landing < 0) | (landing >= score.duration_s)
    move_s[stays] = 0.0
    moved = [
        replace(n, start_s=n.start_s + m, end_s=n.end_s + m)
        for n, m in zip(score.notes, move_s.tolist(), strict=True)
    ]
    return Score.of(one_at_a_time(moved, score.duration_s), score.duration_s)


def one_at_a_time(notes: list[Note], duration_s: float) -> list[Note]:
    """Remove overlaps: merge notes of one group, pitch and start; end a note where the next one begins."""
    last: dict[tuple[str, int], int] = {}
    kept: list[Note] = []
    for note in sorted(notes):
        key = (note.group, note.pitch)
        note = replace(note, end_s=min(note.end_s, duration_s))
        if key in last:
            before = kept[last[key]]
            if note.start_s - before.start_s < 1e-6:
                velocity, end_s = max(before.velocity, note.velocity), max(before.end_s, note.end_s)
                kept[last[key]] = replace(before, end_s=end_s, velocity=velocity)
                continue
            kept[last[key]] = replace(before, end_s=min(before.end_s, note.start_s))
        last[key] = len(kept)
        kept.append(note)
    return kept
