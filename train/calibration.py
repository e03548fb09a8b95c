"""Calibration inputs for quantisation: what each graph is fed in real use, from the validation split.

Letters: T score frames, N latent frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from appliance.roll import ROLL_ROWS
from train.checkpoint import Checkpoint
from train.data.crops import random_crops
from train.data.song_cache import CachedSong
from train.data.windows import WindowSource
from train.training.planner import PlannerStage

Inputs = dict[str, NDArray[np.float32]]

WINDOW_FRAMES = 256
LISTENED_FRAMES = 1024


def planner_inputs(songs: Sequence[CachedSong], melodies: Path, rng: np.random.Generator) -> Iterator[Inputs]:
    """Endless features (1, 64, T) and phases (1, 5, T)."""
    while True:
        item = PlannerStage.item(songs[rng.integers(len(songs))], melodies, LISTENED_FRAMES, rng, True)
        yield {"features": item["features"][None], "phases": item["phases"][None]}


@torch.no_grad()
def window_inputs(
    checkpoint: Checkpoint, source: WindowSource, rng: np.random.Generator
) -> Iterator[tuple[Inputs, Inputs, Inputs]]:
    """Endless windows as inputs of condition encoder, denoiser and VAE decoder.

    Timesteps are spread evenly, as a sampler visits them; the noisy latent is real data and noise.
    """
    while True:
        window = source.window(WINDOW_FRAMES, rng)
        rows, style = window["rows"][None], window["style"][None]
        tokens, keys_values = checkpoint.generator.condition(torch.from_numpy(rows), torch.from_numpy(style))
        t = np.float32(rng.uniform(0.02, 1.0))
        latent = window["latent"][None]
        noise = rng.standard_normal(latent.shape).astype(np.float32)
        denoiser = {
            "latent": (1 - t) * latent + t * noise,
            "context": window["context"][None],
            "known": window["known"][None],
            "timestep": np.full((1, 1, 1), t, np.float32),
            "tokens": tokens.numpy(),
            "keys_values": keys_values.numpy(),
            "style": style,
            "valid": window["valid"][None],
        }
        yield {"rows": rows, "style": style}, denoiser, {"latent": latent}


def encoder_inputs(songs: Sequence[CachedSong], rng: np.random.Generator) -> Iterator[Inputs]:
    """Endless rolls (1, R, T)."""
    while True:
        rows = random_crops(songs, 1, 2 * WINDOW_FRAMES, rng, transpose=0)
        assert rows.shape[1] == ROLL_ROWS
        yield {"roll": rows}
