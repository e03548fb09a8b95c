"""Random crops of rolls, drawn from note arrays: training data of the score VAE.

Letters: B batch, R = ROLL_ROWS, T score frames, N notes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from appliance.music.roll import ROLL_ROWS, draw_roll
from train.data.damage import transposed
from train.data.song_cache import CachedSong

Array = NDArray[np.float32]


def draw_rows(notes: Array, first: int, frames: int, transpose: int = 0) -> Array:
    """The stacked roll (R, T) of T = ``frames`` score frames of ``notes`` (N, 5), from frame ``first`` on.

    Pitches move by ``transpose`` semitones; notes that leave the compass are left out.
    """
    return draw_roll(transposed(notes, transpose), first, frames).stacked()


def random_crops(
    songs: Sequence[CachedSong], batch: int, frames: int, rng: np.random.Generator, transpose: int = 6
) -> Array:
    """Rolls (B, R, T) of random songs, styles and positions, transposed by up to ``transpose`` semitones."""
    rows = np.empty((batch, ROLL_ROWS, frames), np.float32)
    for item in range(batch):
        song = songs[rng.integers(len(songs))]
        style = list(song.scores)[rng.integers(len(song.scores))]
        first = int(rng.integers(max(1, song.frames - frames)))
        shift = int(rng.integers(-transpose, transpose + 1))
        rows[item] = draw_rows(song.scores[style], first, frames, shift)
    return rows
