"""The harmony of a song slot by slot, as input and output of the chord network.

A slot lasts from one beat to the next. Training and the appliance share this code.

Letters: S slots, T score frames, P plan frames, Q = 10 qualities, C = 12·Q + 1 chord states: each quality on
twelve roots, quality by quality, and no chord last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAME_RATE_HZ, FRAMES_PER_PLAN
from appliance.music.chord_quality import QUALITIES
from appliance.music.score import BeatGrid
from appliance.vocal.features import CHROMA, ONSET, VOICED

Array = NDArray[np.float32]

CHORD_QUALITIES = ("", "m", "7", "m7", "maj7", "dim", "m7b5", "dim7", "aug", "sus4")
"""Qualities that the network knows; others count as the nearest of these."""

NO_CHORD_STATE = 12 * len(CHORD_QUALITIES)
CHORD_STATES = NO_CHORD_STATE + 1

CIRCLE_ROWS = 7
"""Rows for each pitch class: planned chord, planned bass, melody in both halves of the slot; of a given chord
its tones, its root and its bass."""

PLAIN_ROWS = 12
"""Further rows: voicing and onsets in both halves; sine and cosine of the place in the bar, whether a bar
begins, whether bars are known; whether the chord is given; whether nothing is to be played; how near the
beginning and the end of the song are."""

NEAR_SLOTS = 4.0
"""Slots from an end of the song after which it counts as 1/e as near. A song closes on a chord of its own."""

SLOT_ROWS = 12 * CIRCLE_ROWS + PLAIN_ROWS
"""Rows of a slot in one array: those of the circle, row by row, then the plain ones."""

PLAN_RATE_HZ = FRAME_RATE_HZ / FRAMES_PER_PLAN


@dataclass(frozen=True, slots=True)
class GivenChords:
    """Chords that are fixed: ``state`` (S,) of each slot, -1 where it is free; so has ``bass`` (S,)."""

    state: NDArray[np.int64]
    bass: NDArray[np.int64]

    @staticmethod
    def none(slots: int) -> GivenChords:
        """Every slot is free."""
        free = np.full(slots, -1, np.int64)
        return GivenChords(free, free)


@dataclass(frozen=True, slots=True)
class ChordScores:
    """Scores (logarithms) of a song, from the chord network.

    ``chords`` (C, S); ``change`` (S,), added where another chord begins; ``bass`` (12, 12, S): the log
    probability of the interval (first) above a root (second); ``table`` (C, C): of each step from one chord
    (first) to another.
    """

    chords: Array
    change: Array
    bass: Array
    table: Array


def slot_edges(grid: BeatGrid, duration_s: float) -> NDArray[np.float64]:
    """Times between which a chord cannot change, (S + 1,): 0, the beats, the end.

    Without beats they are half seconds apart. A remainder under 0.1 s before the first or after the last beat
    is joined to its neighbour.
    """
    inner = np.asarray(grid.beats_s) if len(grid.beats_s) > 1 else np.arange(0.5, duration_s, 0.5)
    inner = inner[(inner > 0.1) & (inner < duration_s - 0.1)]
    return np.array([0.0, *np.unique(np.round(inner, 3)).tolist(), round(duration_s, 3)])


def tones_of_state(state: int) -> tuple[int, ...]:
    """Pitch classes of a chord state, root first; none for no chord."""
    if state == NO_CHORD_STATE:
        return ()
    quality, root = divmod(state, 12)
    return tuple((root + step) % 12 for step in QUALITIES[CHORD_QUALITIES[quality]])


def chord_rows(
    features: Array, plan: Array, edges_s: NDArray[np.float64], grid: BeatGrid, given: GivenChords
) -> tuple[Array, Array]:
    """Inputs of the chord network: circle (CIRCLE_ROWS, 12, S) and plain (PLAIN_ROWS, S).

    Args:
        features: (64, T) of the vocal.
        plan: (24, P) probabilities of the planner.
        edges_s: (S + 1,) from :func:`slot_edges`.
        grid: the beats; ignored if it has none.
        given: the chords that are fixed.
    """
    slots = len(edges_s) - 1
    halves_s = np.sort(np.concatenate([edges_s, (edges_s[:-1] + edges_s[1:]) / 2]))
    planned = means(plan, edges_s * PLAN_RATE_HZ)
    heard = means(features, halves_s * FRAME_RATE_HZ).reshape(len(features), slots, 2)
    circle = np.zeros((CIRCLE_ROWS, 12, slots), np.float32)
    circle[0], circle[1] = planned[:12], planned[12:24]
    circle[2], circle[3] = heard[CHROMA, :, 0], heard[CHROMA, :, 1]
    for slot in np.flatnonzero(given.state >= 0):
        tones = tones_of_state(int(given.state[slot]))
        circle[4, list(tones), slot] = 1.0
        circle[5, list(tones[:1]), slot] = 1.0
        if tones and given.bass[slot] >= 0:
            circle[6, given.bass[slot], slot] = 1.0
    plain = np.zeros((PLAIN_ROWS, slots), np.float32)
    plain[0:2] = heard[VOICED].T
    plain[2:4] = heard[ONSET].max(axis=0).T
    plain[4:8] = _places(grid, edges_s)
    plain[8] = given.state >= 0
    plain[9] = given.state == NO_CHORD_STATE
    plain[10] = np.exp(-np.arange(slots) / NEAR_SLOTS)
    plain[11] = plain[10, ::-1]
    return circle, plain


def slot_rows(circle: Array, plain: Array) -> Array:
    """Both inputs, from :func:`chord_rows`, in one array as the graph takes them: (SLOT_ROWS, S)."""
    return np.concatenate([circle.reshape(-1, circle.shape[2]), plain])


def _places(grid: BeatGrid, edges_s: NDArray[np.float64]) -> Array:
    """Sine and cosine of the place in the bar, whether a bar begins, whether bars are known: (4, S)."""
    rows = np.zeros((4, len(edges_s) - 1), np.float32)
    if not grid.downbeats or len(grid.beats_s) < 2:
        return rows
    beats = np.interp(edges_s[:-1], np.asarray(grid.beats_s), np.arange(len(grid.beats_s)))
    index = np.round(beats).astype(np.int64)
    starts = np.asarray(grid.downbeats)
    bar = np.clip(np.searchsorted(starts, index, side="right") - 1, 0, len(starts) - 1)
    place = (index - starts[bar]) % max(grid.meter, 1)
    turn = 2 * np.pi * place / max(grid.meter, 1)
    rows[0], rows[1], rows[2], rows[3] = np.sin(turn), np.cos(turn), place == 0, 1.0
    return rows


def means(rows: NDArray[np.floating], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of ``rows`` (R, M) between consecutive ``edges`` (S + 1,), in columns: (R, S)."""
    total = np.pad(np.cumsum(rows, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    position = np.clip(edges, 0, rows.shape[1])
    whole = np.minimum(position.astype(np.intp), max(rows.shape[1] - 1, 0))
    at_edges = total[:, whole] + rows[:, whole] * (position - whole)
    mean: NDArray[np.float64] = np.diff(at_edges, axis=1) / np.maximum(np.diff(position), 1e-9)
    return mean
