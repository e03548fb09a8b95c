"""Vocal features of sung songs, the networks' input in training.

Most songs are performed as curves without audio (``train.singer.perform``, milliseconds per song), with the
errors that a pitch tracker makes on real recordings added. Some are synthesised as audio and analysed by the
appliance's own tracker.

Letters: F feature rows, K takes, H hops, T score frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.files.whole import whole_file
from appliance.vocal.features import features_of
from appliance.vocal.tracker import track_pitch
from train.corpus.ledger import LedgerRow
from train.corpus.reader import read_song
from train.corpus.song import Song
from train.singer.augment import augment, sample_company, sample_recording
from train.singer.perform import perform
from train.singer.sing import sing
from train.singer.voices import Split, sample_voice

Array = NDArray[np.float32]

PERFORMANCES = 3
"""Performances per song, each with another voice, octave, tuning and timing."""

LONGEST_HEARD_S = 150.0
"""Longer songs are not synthesised, to save time."""


@dataclass(frozen=True, slots=True)
class SpoiledTrack:
    """Curves (H,) as a tracker would return them for a poor recording of the performance."""

    f0_hz: Array
    voiced: Array
    level_db: Array
    flux: Array


def spoil(
    f0_hz: Array, voiced: Array, level_db: Array, flux: Array, rng: np.random.Generator
) -> SpoiledTrack:
    """Add tracker errors to clean curves (H,): octave errors, missed and false voicing, noisy onsets.

    Their amount is drawn once per song, from a clean close microphone to a noisy room.
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
    # Even a booth recording has some flux everywhere: breath, pitch movement, the tracker's own noise.
    restless = 0.3 * dirt + rng.uniform(0.01, 0.06)
    flux = np.clip(flux * rng.uniform(0.6, 1.3) + restless * np.abs(rng.standard_normal(hops)), 0.0, 2.0)
    floor_db = rng.uniform(-100.0, -30.0) if dirt > 0.2 else -100.0
    level_db = np.maximum(level_db, np.float32(level_db.max() + floor_db))
    return SpoiledTrack(f0_hz, voiced.astype(np.float32), level_db, flux.astype(np.float32))


def _stretches(hops: int, rate: float, mean_hops: int, rng: np.random.Generator) -> Iterable[tuple[int, int]]:
    starts = np.flatnonzero(rng.uniform(size=hops) < rate)
    return [(int(s), int(s + 1 + rng.exponential(mean_hops))) for s in starts]


def build(
    sources: Iterable[tuple[Path, LedgerRow]],
    folder: Path,
    workers: int,
    on_done: Callable[[str], None] = lambda _: None,
    heard: int = 0,
) -> None:
    """Perform the song of every (corpus folder, ledger row) :data:`PERFORMANCES` times.

    Stores ``ID.npy`` (K, F, T) float16.

    The first ``heard`` songs in the order of their hashes, unless long, get two more takes: synthesised as
    audio, recorded once among talking people and once in a random room, and analysed by the appliance's own
    tracker.

    Raises:
        MachineError: ``heard`` is positive and espeak-ng or pyworld is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sources = list(sources)
    sounding = {row.id for row in sorted((row for _, row in sources), key=lambda row: row.sha256)[:heard]}
    missing = [(corpus, row) for corpus, row in sources if not (folder / f"{row.id}.npy").exists()]
    corpora = [corpus for corpus, _ in missing]
    rows = [row for _, row in missing]
    aloud = [row.id in sounding for row in rows]
    # Spawned processes, because espeak-ng keeps its state in globals.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for song_id in pool.map(_store, rows, corpora, repeat(folder), aloud, chunksize=4):
            on_done(song_id)


def _store(row: LedgerRow, corpus: Path, folder: Path, aloud: bool) -> str:
    song = read_song(corpus, row)
    split: Split = "train" if row.split == "train" else "test"
    takes = []
    for take in range(PERFORMANCES):
        seed = int(row.sha256[:7], 16) + take
        track = perform(song, sample_voice(seed, split), seed).curves
        rng = np.random.default_rng([seed, 0x5F])
        takes.append(features_of(spoil(track.f0_hz, track.voiced, track.level_db, track.flux, rng)))
    if aloud and song.duration_s <= LONGEST_HEARD_S:
        takes.extend(_heard(song, split, int(row.sha256[:7], 16) + PERFORMANCES, takes[0].shape[1]))
    with whole_file(folder / f"{row.id}.npy") as file:
        np.save(file, np.stack(takes).astype(np.float16))
    return row.id


def _heard(song: Song, split: Split, seed: int, frames: int) -> Iterable[Array]:
    """Features (F, T) of two recordings of one performance by the appliance's tracker; T = ``frames``."""
    singing = sing(song, sample_voice(seed, split), seed)
    for settings in (sample_company(seed), sample_recording(seed)):
        audio = augment(singing.audio, singing.rate_hz, settings, np.random.default_rng([seed, 0xEA]))
        features = features_of(track_pitch(np.array_split(audio, 1 + len(audio) // 65_536), len(audio)))
        yield np.pad(features[:, :frames], ((0, 0), (0, max(0, frames - features.shape[1]))))
