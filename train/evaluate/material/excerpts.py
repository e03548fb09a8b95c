"""One minute of a cached song: vocal features, sung notes and written notes.

Features come from the melody cache, so nothing is synthesised or tracked here. Letters: F = 64 feature rows,
T score frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.errors import InputError
from appliance.grid import FRAME_RATE_HZ, FRAMES_PER_PLAN
from appliance.music.note_rows import score_of
from appliance.music.score import Score
from train.data import song_cache
from train.data.song_cache import CachedSong
from train.evaluate.material.pieces import LEAD_IN_S, Sung

Array = NDArray[np.float32]

LONGEST_FRAMES = 1280
"""59.4 s, the length of three windows of the usual sampler (256 latent frames, 64 of them context)."""

SHORTEST_S = 30.0
"""Shorter songs are skipped."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Part of a song; times are in seconds from the excerpt's start.

    ``features`` (F, T) are those of the vocal, T a multiple of 4. ``written`` is the piano part, ``arranged``
    the song in the judged style. ``bars_s`` are the song's bar lines, some outside the excerpt. ``first`` is
    the score frame of the song at which it starts.
    """

    id: str
    first: int
    features: Array
    duration_s: float
    sung: tuple[Sung, ...]
    written: Score
    arranged: Score
    bars_s: tuple[float, ...]


def load_excerpts(cache: Path, split: str, count: int, style: str) -> list[Excerpt]:
    """Excerpts of ``count`` songs, spread evenly over a split, each in its last performance.

    The last performance of some songs was synthesised and analysed by the appliance's own tracker.

    Raises:
        InputError: the caches hold no song of that split.
    """
    songs = [
        song
        for song in song_cache.load_split(cache / "songs", split)
        if song.duration_s >= SHORTEST_S
        and len(song.voice)
        and (cache / "melodies" / f"{song.id}.npy").exists()
    ]
    if not songs:
        raise InputError(
            f"{cache}: no melodies of {split} songs there; run `train songs` and `train melodies`."
        )
    count = min(count, len(songs))
    chosen = [songs[k * len(songs) // count] for k in range(count)]
    return [excerpt_of(song, _last_take(cache, song.id), style) for song in chosen]


def _last_take(cache: Path, song_id: str) -> Array:
    takes = np.load(cache / "melodies" / f"{song_id}.npy", mmap_mode="r")
    return takes[-1].astype(np.float32)


def excerpt_of(song: CachedSong, features: Array, style: str) -> Excerpt:
    """The excerpt of a song; ``features`` (F, M) are those of the whole vocal, M score frames."""
    first = first_frame(song)
    frames = min(LONGEST_FRAMES, features.shape[1] - first) // FRAMES_PER_PLAN * FRAMES_PER_PLAN
    start_s, duration_s = first / FRAME_RATE_HZ, frames / FRAME_RATE_HZ
    sung = tuple(
        Sung(float(a), float(b), int(pitch))
        for a, b, pitch in _clipped(song.voice[:, :3], start_s, duration_s)
    )
    written, arranged = (
        score_of(_clipped(song.scores[s], start_s, duration_s), duration_s) for s in ("piano", style)
    )
    bars = tuple(song.grid.beats_s[k] - start_s for k in song.grid.downbeats)
    return Excerpt(
        song.id, first, features[:, first : first + frames], duration_s, sung, written, arranged, bars
    )


def first_frame(song: CachedSong) -> int:
    """Score frame at which the excerpt starts: a bar line before the first note, on a whole plan frame."""
    earliest = max(0.0, float(song.voice[:, 0].min()) - LEAD_IN_S)
    start = max(
        (song.grid.beats_s[k] for k in song.grid.downbeats if song.grid.beats_s[k] <= earliest), default=0.0
    )
    return int(start * FRAME_RATE_HZ) // FRAMES_PER_PLAN * FRAMES_PER_PLAN


def _clipped(notes: Array, start_s: float, duration_s: float) -> Array:
    """The rows (N, C) of start_s, end_s, ... that sound in the excerpt, clipped to it."""
    moved = notes.copy()
    moved[:, :2] = np.clip(notes[:, :2] - start_s, 0.0, duration_s)
    return moved[moved[:, 1] > moved[:, 0]]
