"""Latents for training: every song is encoded once before the denoiser trains.

Songs are first transposed to the white keys (C major, A minor), as the appliance does with the vocal, so that
the denoiser learns one key signature instead of twelve. A quarter of them goes to another signature on
purpose: at run time the estimated key is sometimes wrong, usually by a fifth.

Letters: S encoded styles, Z latent channels, N latent frames.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from appliance.files.whole import whole_file
from appliance.grid import FRAMES_PER_LATENT
from appliance.music.keys import signature_shift
from appliance.music.score import STYLES
from train.data.crops import draw_rows
from train.data.song_cache import CachedSong
from train.networks.precision import mixed_precision
from train.networks.vae import ScoreVae

LONGEST_FRAMES = 3840
"""Score frames that are encoded of a long song: its first three minutes."""

WRONG_SHIFTS = (5, 7, 5, 7, 2, 10, 3, 9, 1, 11)


@dataclass(frozen=True, slots=True)
class SongLatents:
    """``latents`` (S, Z, N) float16, ``styles`` (S,) indices, ``shifts`` (S,) upwards in semitones."""

    latents: NDArray[np.float16]
    styles: NDArray[np.int64]
    shifts: NDArray[np.int64]

    def only(self, styles: int) -> SongLatents:
        """Those of the first ``styles`` styles; the piano's are always among them."""
        known = self.styles < styles
        return SongLatents(self.latents[known], self.styles[known], self.shifts[known])


class _Rolls(Dataset[tuple[str, torch.Tensor, list[int], list[int]]]):
    def __init__(self, songs: Sequence[CachedSong], others: int) -> None:
        self.songs, self.others = songs, others

    def __len__(self) -> int:
        return len(self.songs)

    def __getitem__(self, index: int) -> tuple[str, torch.Tensor, list[int], list[int]]:
        song = self.songs[index]
        rng = np.random.default_rng(int(hashlib.sha256(song.id.encode()).hexdigest()[:8], 16))
        chosen = rng.choice(np.arange(1, len(song.scores)), self.others, replace=False)
        styles = [0, *sorted(int(s) for s in chosen)]
        frames = min(song.frames, LONGEST_FRAMES) // FRAMES_PER_LATENT * FRAMES_PER_LATENT
        shifts = [self._shift(song, rng) for _ in styles]
        rolls = [
            draw_rows(song.scores[STYLES[s]], 0, frames, shift)
            for s, shift in zip(styles, shifts, strict=True)
        ]
        return song.id, torch.from_numpy(np.stack(rolls)), styles, shifts

    @staticmethod
    def _shift(song: CachedSong, rng: np.random.Generator) -> int:
        shift = signature_shift(song.key)
        if rng.uniform() < 0.25:
            shift += int(rng.choice(WRONG_SHIFTS))
        return (shift + 6) % 12 - 6


@torch.no_grad()
def build(
    vae: ScoreVae,
    songs: Sequence[CachedSong],
    folder: Path,
    others: int,
    device: torch.device,
    on_done: Callable[[str], None] = lambda _: None,
) -> None:
    """Encode each song in style 'piano' and in ``others`` further styles; store ``ID.npz``."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [song for song in songs if not (folder / f"{song.id}.npz").exists()]
    loader = DataLoader(_Rolls(missing, others), batch_size=None, num_workers=1)
    vae.eval().to(device)
    for song_id, rolls, styles, shifts in loader:
        with mixed_precision(device.type):
            mean, _ = vae.encoder(rolls.to(device))
        latents = mean.float().cpu().numpy().astype(np.float16)
        with whole_file(folder / f"{song_id}.npz") as file:
            np.savez(file, latents=latents, styles=np.array(styles), shifts=np.array(shifts))
        on_done(song_id)


def load(folder: Path, song_id: str) -> SongLatents | None:
    """The stored latents of a song; None if they were not built."""
    path = folder / f"{song_id}.npz"
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as arrays:
        return SongLatents(arrays["latents"], arrays["styles"], arrays["shifts"])


def statistics(
    latents: Iterator[SongLatents],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation of every latent channel, each (Z,)."""
    count, total, squares = 0, np.zeros(1), np.zeros(1)
    for song in latents:
        values = song.latents.astype(np.float64)
        count += values.shape[0] * values.shape[2]
        total = total + values.sum(axis=(0, 2))
        squares = squares + np.square(values).sum(axis=(0, 2))
    mean = total / count
    std = np.sqrt(np.maximum(squares / count - mean**2, 1e-8))
    return mean.astype(np.float32), std.astype(np.float32)
