"""What the networks hear in training: sung songs as vocal features.

Most are performed without sound (``train.singer.perform``, milliseconds a song) and then spoiled the way
a pitch tracker spoils real recordings; songs that were really sung (``python -m train sing``) add
features taken by the appliance's own tracker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.features import features_of
from train.corpus.ledger import LedgerRow
from train.corpus.reader import read_song
from train.singer.perform import perform
from train.singer.voices import sample_voice

Array = NDArray[np.float32]

PERFORMANCES = 3
"""Singers a song; each another voice, octave, tuning, timing."""


@dataclass(frozen=True, slots=True)
class SpoiledTrack:
    """Curves (N,) as a tracker would give them for a bad recording of the same performance."""

    f0_hz: Array
    voiced: Array
    level_db: Array
    flux: Array


def spoil(
    f0_hz: Array, voiced: Array, level_db: Array, flux: Array, rng: np.random.Generator
) -> SpoiledTrack:
    """Tracker errors on clean curves (N,): octave slips, dropped and invented voicing, noisy onsets.

    How bad is drawn once a song, from a clean close microphone to a noisy room.
    """
    hops = len(f0_hz)
    dirt = rng.uniform() ** 2
    f0_hz, voiced, flux = f0_hz.copy(), voiced.copy(), flux.copy()
    for first, last in _stretches(hops, rate=0.004 * dirt, mean_hops=18, rng=rng):
        f0_hz[first:last] *= 2.0 if rng.uniform() < 0.5 else 0.5
    for first, last in _stretches(hops, rate=0.01 * dirt, mean_hops=12, rng=rng):
        voiced[first:last] *= rng.uniform(0.0, 0.6)
    for first, last in _stretches(hops, rate=0.012 * dirt, mean_hops=15, rng=rng):
        silent = np.flatnonzero(voiced[first:last] < 0.2) + first
        f0_hz[silent] = 440.0 * 2.0 ** ((rng.uniform(40, 80) - 69.0) / 12.0)
        voiced[silent] = rng.uniform(0.1, 0.7)
    voiced = np.clip(voiced * rng.uniform(0.85, 1.0) + 0.08 * dirt * rng.standard_normal(hops), 0.0, 1.0)
    flux = np.clip(flux * rng.uniform(0.6, 1.3) + 0.3 * dirt * np.abs(rng.standard_normal(hops)), 0.0, 2.0)
    floor_db = rng.uniform(-100.0, -30.0) if dirt > 0.2 else -100.0
    level_db = np.maximum(level_db, np.float32(level_db.max() + floor_db))
    return SpoiledTrack(f0_hz, voiced.astype(np.float32), level_db, flux.astype(np.float32))


def _stretches(hops: int, rate: float, mean_hops: int, rng: np.random.Generator) -> Iterable[tuple[int, int]]:
    starts = np.flatnonzero(rng.uniform(size=hops) < rate)
    return [(int(s), int(s + 1 + rng.exponential(mean_hops))) for s in starts]


def build(
    corpus: Path,
    rows: Iterable[LedgerRow],
    folder: Path,
    workers: int,
    on_done: Callable[[str], None] = lambda _: None,
) -> None:
    """Perform every song :data:`PERFORMANCES` times; store ``ID.npy`` (K, F, T) float16."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [row for row in rows if not (folder / f"{row.id}.npy").exists()]
    with ProcessPoolExecutor(workers) as pool:
        for song_id in pool.map(_store, missing, [corpus] * len(missing), [folder] * len(missing)):
            on_done(song_id)


def _store(row: LedgerRow, corpus: Path, folder: Path) -> str:
    song = read_song(corpus, row)
    split = "train" if row.split == "train" else "test"
    takes = []
    for take in range(PERFORMANCES):
        seed = int(row.sha256[:7], 16) + take
        track = perform(song, sample_voice(seed, split), seed).curves
        rng = np.random.default_rng([seed, 0x5F])
        takes.append(features_of(spoil(track.f0_hz, track.voiced, track.level_db, track.flux, rng)))
    partial = folder / f"{row.id}.part.npy"
    np.save(partial, np.stack(takes).astype(np.float16))
    partial.rename(folder / f"{row.id}.npy")
    return row.id
