"""Quality of an accompaniment, which the fit network learns: 0 as another song's, 1 as the written one.

It averages the three measures that judge a pack: harmony and consonance as in
``train.evaluate.measures.metrics``, but computed from frames instead of notes because training needs
thousands, and rhythm (:mod:`train.data.rhythm`).

Letters: K accompaniments of a stretch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAME_RATE_HZ
from appliance.music.note_rows import DRUMS
from appliance.music.score import STYLES
from appliance.networks.band_rows import CHROMA, draw_band
from train.data import damage
from train.data.rhythm import RHYTHM_CHANCE, rhythm
from train.data.song_cache import CachedSong

Array = NDArray[np.float32]

SHUFFLED, TRUE = np.array([0.24, 0.26, 0.52]), np.array([1.0, 0.785, 0.855])
"""Mean harmony, consonance and rhythm of another song's and of the written accompaniment."""

POOLED_FRAMES = 11
"""Window of harmony: half a second, in score frames."""

NEAR_FRAMES = 2
"""Tolerance of consonance: 0.1 s, in score frames."""


def qualities(
    song: CachedSong, made: Sequence[Array], bands: Array, first: int, frames: int
) -> NDArray[np.float32]:
    """Qualities (K,): the gap closed between SHUFFLED and TRUE, averaged over the three measures."""
    written = _pooled(draw_band(song.scores[STYLES[0]], first, frames)[CHROMA])
    sung = draw_band(np.column_stack([song.voice[:, :3], np.zeros((len(song.voice), 2))]), first, frames)
    bars = damage.bars_of(song)
    found = [
        (_harmony(rows, written), _consonance(rows, sung), _rhythm(notes, bars, first, frames))
        for notes, rows in zip(made, bands, strict=True)
    ]
    return np.mean((np.array(found) - SHUFFLED) / (TRUE - SHUFFLED), axis=1).astype(np.float32)


def _pooled(chroma: Array) -> Array:
    frames = chroma.shape[1] // POOLED_FRAMES * POOLED_FRAMES
    return chroma[:, :frames].reshape(12, -1, POOLED_FRAMES).sum(axis=2)


def _harmony(rows: Array, written: Array) -> float:
    ours = _pooled(rows[CHROMA])
    both = ours.any(axis=0) & written.any(axis=0)
    if not both.any():
        return float(SHUFFLED[0])
    a, b = ours[:, both], written[:, both]
    return float(((a * b).sum(axis=0) / np.linalg.norm(a, axis=0) / np.linalg.norm(b, axis=0)).mean())


def _consonance(rows: Array, sung: Array) -> float:
    voice = sung[CHROMA]
    if not voice.any():
        return float(TRUE[1])
    wide = np.pad(rows[CHROMA], ((0, 0), (NEAR_FRAMES, NEAR_FRAMES)))
    near = np.lib.stride_tricks.sliding_window_view(wide, 2 * NEAR_FRAMES + 1, axis=1).max(axis=2)
    return float(np.minimum(voice, near).sum() / voice.sum())


def _rhythm(notes: Array, bars_s: NDArray[np.float64], first: int, frames: int) -> float:
    if len(bars_s) < 2:
        return RHYTHM_CHANCE  # not NaN, because the network is trained on it
    onsets = notes[notes[:, 4] < DRUMS, 0].astype(np.float64)
    start_s, end_s = first / FRAME_RATE_HZ, (first + frames) / FRAME_RATE_HZ
    return rhythm(onsets[(onsets >= start_s) & (onsets < end_s)], bars_s)
