"""The denoiser's training and validation windows, from the caches."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from appliance.packs.dial_table import DIALS_NAME, read_table
from train.data import latents, song_cache
from train.data.dial_statistics import BARS_FOLDER
from train.data.windows import WindowSource


def window_sources(cache: Path) -> tuple[WindowSource, WindowSource]:
    """Sources of the 'train' and 'val' splits, normalised by the training split's latent statistics.

    The statistics are written to ``latent_statistics.npz`` in ``cache``. Windows show dials if they were
    measured (``dials.json`` beside ``cache``).

    Raises:
        FileNotFoundError: the song or latent cache was not built.
    """
    stored, songs = {}, {}
    for split in ("train", "val"):
        songs[split] = []
        for song in song_cache.load_split(cache / "songs", split):
            song_latents = latents.load(cache / "latents", song.id)
            if song_latents is not None:
                stored[song.id] = song_latents
                songs[split].append(song)
    if not songs["train"]:
        raise FileNotFoundError(f"{cache / 'latents'}: no latents; run `python -m train latents` first")
    mean, std = latents.statistics(stored[song.id] for song in songs["train"])
    np.savez(cache / "latent_statistics.npz", mean=mean, std=std)
    measured = cache.parent / DIALS_NAME
    table = read_table(measured) if measured.is_file() else None
    folders = (cache / "melodies", cache / "plans")
    train, val = (
        WindowSource(songs[split], stored, *folders, mean, std, bars=cache / BARS_FOLDER, table=table)
        for split in ("train", "val")
    )
    return train, val
