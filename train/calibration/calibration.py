"""Calibration inputs for quantisation: realistic inputs of each graph, from the validation split.

The folder has ``GRAPH.npz`` for every graph, with arrays named ``SAMPLE/INPUT``. Samples are in the order of
their songs, so that the last quarter, which measures the INT8 graphs, shares no song with the rest.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from appliance.networks.condition_rows import known_style_rows
from train.checkpoints.checkpoint import Checkpoint
from train.data.crops import random_crops
from train.data.song_cache import CachedSong
from train.data.windows import WindowSource
from train.training.planner import PlannerStage

Inputs = dict[str, NDArray[np.float32]]

WINDOW_FRAMES = 256
LISTENED_FRAMES = 1024


def write_calibration(checkpoint: Checkpoint, source: WindowSource, folder: Path, samples: int) -> None:
    """Write ``samples`` samples of every graph's inputs into ``folder``, spread over the songs.

    A checkpoint that knows fewer styles gets windows of these only.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(3)
    arrays: dict[str, Inputs] = {}
    for number in range(samples):
        song = source.songs[number * len(source.songs) // samples]
        stored = source.latents[song.id].only(checkpoint.generator.config.style_rows - 1)
        alone = replace(source, songs=[song], latents={song.id: stored})
        for graph, inputs in sample_of(checkpoint, alone, song, rng).items():
            named = {f"{number:04d}/{name}": array for name, array in inputs.items()}
            arrays.setdefault(graph, {}).update(named)
    for graph, named in arrays.items():
        np.savez(folder / f"{graph}.npz", **named)


@torch.no_grad()
def sample_of(
    checkpoint: Checkpoint, source: WindowSource, song: CachedSong, rng: np.random.Generator
) -> dict[str, Inputs]:
    """One sample of every graph's inputs, with batch 1.

    The denoiser's noisy latent mixes a real latent with noise; its timesteps are uniform, as in a sampler.
    """
    item = PlannerStage.item(song, source.melodies, LISTENED_FRAMES, rng, transpose=True)
    window = source.window(WINDOW_FRAMES, rng)
    rows = window["rows"][None, : checkpoint.generator.config.rows]
    style = known_style_rows(window["style"][None], checkpoint.generator.config.style_rows)
    tokens, keys_values = checkpoint.generator.condition(torch.from_numpy(rows), torch.from_numpy(style))
    t = np.float32(rng.uniform(0.02, 1.0))
    stride = {}
    if checkpoint.generator.config.few_steps:
        steps = int(checkpoint.facts["sampler"]["steps"])
        t = np.float32(rng.integers(1, steps + 1) / steps)
        stride = {"stride": np.full((1, 1, 1), 1.0 / steps, np.float32)}
    latent = window["latent"][None]
    noise = rng.standard_normal(latent.shape).astype(np.float32)
    return {
        "planner": {"features": item["features"][None], "phases": item["phases"][None]},
        "condition": {"rows": rows, "style": style},
        "denoiser": {
            "latent": (1 - t) * latent + t * noise,
            "context": window["context"][None],
            "known": window["known"][None],
            "timestep": np.full((1, 1, 1), t, np.float32),
            "tokens": tokens.numpy(),
            "keys_values": keys_values.numpy(),
            "style": style,
            "valid": window["valid"][None],
            **stride,
        },
        "vae_decoder": {"latent": latent},
        "vae_encoder": {"roll": random_crops([song], 1, 2 * WINDOW_FRAMES, rng, transpose=0)},
    }
