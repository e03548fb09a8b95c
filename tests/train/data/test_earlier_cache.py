"""A song cache from before the newer styles is still of use: its songs have the first eight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from support.tiny_cache import write_tiny_cache

from appliance.music.score import STYLES
from train.data.crops import random_crops
from train.data.pairs import random_style
from train.data.song_cache import load_split


def test_songs_with_eight_styles_are_loaded_and_cropped(tmp_path: Path) -> None:
    cache = write_tiny_cache(tmp_path / "cache", {"a": (60, 65)}, {"a": "train"})
    file = cache / "songs" / "a.npz"
    with np.load(file) as arrays:
        kept = {k: arrays[k] for k in arrays.files if k.removeprefix("score_") not in STYLES[8:]}
    np.savez(file, **kept)
    (song,) = load_split(cache / "songs", "train")
    assert tuple(song.scores) == STYLES[:8]
    rng = np.random.default_rng(0)
    assert random_crops([song], 24, 64, rng).any(axis=(1, 2)).mean() > 0.5
    assert {random_style(song, rng) for _ in range(200)} == set(STYLES[:8])
