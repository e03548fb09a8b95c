"""Windows of rolls, drawn straight from note arrays: what the score VAE trains on.

Letters: B batch, R = ROLL_ROWS, T score frames, N notes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAME_RATE_HZ
from appliance.music.roll import (
    DRUM_OFFSET,
    DRUM_ONSET,
    DRUM_PLANES,
    DRUM_VELOCITY,
    OFFSET,
    ONSET,
    PLANES,
    ROLL_ROWS,
    SUSTAIN,
    VELOCITY,
)
from appliance.music.score import DRUM_KEYS, GROUPS, LOWEST_PITCH, PITCHES, STYLES
from train.data.song_cache import CachedSong

Array = NDArray[np.float32]


def draw_rows(notes: Array, first: int, frames: int, transpose: int = 0) -> Array:
    """The stacked roll (R, T) of score frames ``first`` .. ``first + frames`` of ``notes`` (N, 5).

    The same picture as ``appliance.music.roll.roll_of``, cut out; notes that started before the window
    sound on in it. Notes that leave the compass are left out.
    """
    pitched = np.zeros((len(GROUPS), PLANES, PITCHES, frames), np.float32)
    drums = np.zeros((len(DRUM_KEYS), DRUM_PLANES, frames), np.float32)
    start = notes[:, 0].astype(np.float64) * FRAME_RATE_HZ - first
    end = notes[:, 1].astype(np.float64) * FRAME_RATE_HZ - first
    for k in np.flatnonzero((end > 0) & (start < frames)):
        pitch, velocity, group = int(notes[k, 2]), float(notes[k, 3]) / 127.0, int(notes[k, 4])
        frame = int(np.floor(start[k]))
        if group == len(GROUPS):
            if frame >= 0 and not drums[DRUM_KEYS.index(pitch), DRUM_ONSET, frame]:
                cell = drums[DRUM_KEYS.index(pitch), :, frame]
                cell[DRUM_ONSET], cell[DRUM_OFFSET], cell[DRUM_VELOCITY] = 1.0, start[k] - frame, velocity
            continue
        row = pitch + transpose - LOWEST_PITCH
        if not 0 <= row < PITCHES:
            continue
        key = pitched[group, :, row]
        if frame >= 0:
            if key[ONSET, frame]:
                continue
            key[ONSET, frame], key[OFFSET, frame], key[VELOCITY, frame] = 1.0, start[k] - frame, velocity
        last = int(end[k])
        if frame == last:
            key[SUSTAIN, frame] = max(key[SUSTAIN, frame], end[k] - start[k])
            continue
        key[SUSTAIN, max(frame, 0) : min(last, frames)] = 1.0
        if last < frames:
            key[SUSTAIN, last] = max(key[SUSTAIN, last], end[k] - last)
    return np.concatenate([pitched.reshape(-1, frames), drums.reshape(-1, frames)])


def random_crops(
    songs: Sequence[CachedSong], batch: int, frames: int, rng: np.random.Generator, transpose: int = 6
) -> Array:
    """(B, R, T): random songs, styles, positions and transpositions of up to ``transpose`` semitones."""
    rows = np.empty((batch, ROLL_ROWS, frames), np.float32)
    for item in range(batch):
        song = songs[rng.integers(len(songs))]
        style = STYLES[rng.integers(len(STYLES))]
        first = int(rng.integers(max(1, song.frames - frames)))
        shift = int(rng.integers(-transpose, transpose + 1))
        rows[item] = draw_rows(song.scores[style], first, frames, shift)
    return rows
