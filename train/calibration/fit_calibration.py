"""Calibration inputs of the fit network: stretches of validation songs with good and bad accompaniments."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from appliance.composing.fit import STRETCH_FRAMES
from train.data.pairs import PairSource

ACCOMPANIMENTS = 5
"""Accompaniments made for each stretch; samples take them in turn."""


def write_fit_calibration(source: PairSource, folder: Path, samples: int) -> None:
    """Write ``fit.npz`` with ``samples`` samples into ``folder``, in the order of the songs."""
    rng = np.random.default_rng(7)
    arrays = {}
    for number in range(samples):
        song = source.songs[number * len(source.songs) // samples]
        item = source.item_of(song, STRETCH_FRAMES, ACCOMPANIMENTS, rng)
        chosen = {
            "features": item["features"],
            "phases": item["phases"],
            "band": item["bands"][number % ACCOMPANIMENTS],
        }
        arrays |= {f"{number:04d}/{name}": rows[None] for name, rows in chosen.items()}
    np.savez(folder / "fit.npz", **arrays)
