"""Calibration inputs of the chord network: stretches of validation songs, with some of their chords given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from appliance.networks.chord_rows import slot_rows
from train.data.song_cache import CachedSong
from train.training.chords import ChordStage

SLOTS = 192
"""Beats of the longest sample."""


def write_chord_calibration(songs: Sequence[CachedSong], cache: Path, folder: Path, samples: int) -> None:
    """Write ``chords.npz`` with ``samples`` samples into ``folder``, in the order of the songs.

    Songs without written chords are left out. ``cache`` holds the melodies and the planner's plans.
    """
    rng = np.random.default_rng(9)
    known = [song for song in songs if song.chords]
    arrays = {}
    for number in range(samples):
        song = known[number * len(known) // samples]
        item = ChordStage.item(song, cache, SLOTS, rng, transpose=True)
        slots = slot_rows(item["circle"].astype(np.float32), item["plain"].astype(np.float32))
        arrays[f"{number:04d}/slots"] = slots[None, :, : int(item["length"])]
    np.savez(folder / "chords.npz", **arrays)
