"""Songs synthesised as audio for the ablation, stored as melodic features and as a mel spectrum.

Training songs are sung once and recorded clean. Validation songs are sung by voices that training does not
have, and recorded clean and in a noisy room. The audio itself is not kept.

Letters: F = 64 feature rows, M mel bands, S samples, T score frames.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.files.whole import whole_file
from appliance.vocal.features import features_of
from appliance.vocal.tracker import track_pitch
from train.ablation.spectrum import mel_spectrum
from train.corpus.ledger import LedgerRow
from train.corpus.reader import read_song
from train.data.song_cache import CachedSong
from train.singer.augment import RecordingSettings, augment
from train.singer.sing import sing
from train.singer.voices import sample_voice

Array = NDArray[np.float32]

CLEAN = RecordingSettings()
NOISY_ROOM = RecordingSettings(
    rt60_s=0.6,
    direct_to_reverb_db=6.0,
    noise=(("babble", 15.0), ("hum", 20.0)),
    high_pass_hz=120.0,
    presence_hz=3000.0,
    presence_db=5.0,
    level_db=-26.0,
)
CONDITIONS = {"clean": CLEAN, "noisy room": NOISY_ROOM}
"""Recording conditions; the second is used in validation only."""

SHORTEST_S, LONGEST_S = 30.0, 75.0
"""Songs are short, so that many different ones can be sung."""


def short_songs(songs: Sequence[CachedSong], count: int) -> list[CachedSong]:
    """``count`` songs of 30 to 75 s that have a vocal part, in the order of their ids' hashes.

    A larger count thus contains a smaller one, whose recordings it reuses.
    """
    fitting = [s for s in songs if SHORTEST_S <= s.duration_s <= LONGEST_S and len(s.voice)]
    return sorted(fitting, key=lambda song: hashlib.sha256(song.id.encode()).digest())[:count]


def recording_path(folder: Path, song_id: str, condition: str) -> Path:
    """Path of a recording that :func:`build` writes."""
    return folder / f"{song_id}.{condition.replace(' ', '-')}.npz"


def load(folder: Path, song_id: str, condition: str) -> tuple[Array, Array]:
    """Melodic features (F, T) and mel spectrum (M, T) of a recording."""
    with np.load(recording_path(folder, song_id, condition), allow_pickle=False) as arrays:
        return arrays["features"].astype(np.float32), arrays["spectrum"].astype(np.float32)


def build(
    corpus: Path,
    rows: Sequence[LedgerRow],
    folder: Path,
    workers: int,
    on_done: Callable[[str], None] = lambda _: None,
) -> None:
    """Sing and analyse the songs of ``rows``; existing recordings are kept.

    Raises:
        MachineError: espeak-ng or pyworld is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Spawned processes, because espeak-ng keeps its state in globals.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for song_id in pool.map(_record, rows, repeat(corpus), repeat(folder)):
            on_done(song_id)


def _record(row: LedgerRow, corpus: Path, folder: Path) -> str:
    training = row.split == "train"
    conditions = ["clean"] if training else list(CONDITIONS)
    if all(recording_path(folder, row.id, name).exists() for name in conditions):
        return row.id
    seed = int(row.sha256[:7], 16)
    singing = sing(read_song(corpus, row), sample_voice(seed, "train" if training else "test"), seed)
    for number, name in enumerate(conditions):
        rng = np.random.default_rng([seed, number])
        audio = augment(singing.audio, singing.rate_hz, CONDITIONS[name], rng)
        store(recording_path(folder, row.id, name), audio)
    return row.id


def store(path: Path, audio: Array) -> None:
    """Store features and spectrum of ``audio`` (S,); the file appears whole or not at all."""
    features = features_of(track_pitch(np.array_split(audio, 1 + len(audio) // 65_536), len(audio)))
    spectrum = mel_spectrum(audio)
    with whole_file(path) as file:
        np.savez(file, features=features.astype(np.float16), spectrum=spectrum.astype(np.float16))
