"""Plans predicted by the planner for the training songs, as the denoiser gets them at run time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from appliance.grid import FRAMES_PER_PLAN
from appliance.music.beat_grid import phases
from train.data.song_cache import CachedSong
from train.data.targets import cut
from train.networks.planner import Planner
from train.networks.precision import mixed_precision


@torch.no_grad()
def build(
    planner: Planner,
    songs: Sequence[CachedSong],
    melodies: Path,
    folder: Path,
    on_done: Callable[[str], None] = lambda _: None,
) -> None:
    """Predict plans with known beats; store ``ID.npy`` (K, 24, P) float16: K performances, P plan frames."""
    folder.mkdir(parents=True, exist_ok=True)
    planner.eval()
    for song in songs:
        target = folder / f"{song.id}.npy"
        if not target.exists():
            takes = np.load(melodies / f"{song.id}.npy")
            frames = takes.shape[2] // FRAMES_PER_PLAN * FRAMES_PER_PLAN
            features = torch.from_numpy(takes[:, :, :frames].astype(np.float32))
            beat = torch.from_numpy(cut(phases(song.grid, frames), 0, frames)).expand(len(takes), -1, -1)
            with mixed_precision("cpu"):
                plan, _ = planner.harmony_branch(features, beat)
            np.save(target, torch.sigmoid(plan.float()).numpy().astype(np.float16))
        on_done(song.id)
