"""Training and validation data of each variant, from the caches and from the synthesised songs.

Letters: F = 64 feature rows, T score frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from appliance.files.whole import whole_file
from appliance.grid import FRAMES_PER_LATENT
from train.ablation import recordings
from train.ablation.scale import Scale
from train.ablation.spectrum import Components, fit_components
from train.ablation.variants import RECORDING, Variant
from train.data import latents, song_cache
from train.data.crops import draw_rows
from train.data.latents import SongLatents
from train.data.song_cache import CachedSong
from train.data.windows import Dropout, WindowSource
from train.evaluate.material.excerpts import Excerpt, excerpt_of
from train.evaluate.players.torch_graphs import latent_statistics
from train.networks.vae import ScoreVae

Array = NDArray[np.float32]

UNTOLD = Dropout(rhythm=1.0, dials=1.0)
"""No variant is told the rhythm or the dials of a take: the ablation asks what the song itself gives."""

NO_PLAN = replace(UNTOLD, plan=1.0)
MELODY_ALONE = replace(NO_PLAN, phases=1.0)


@dataclass(frozen=True, slots=True)
class Songs:
    """The songs of the ablation: of the corpus, synthesised for training, and judged."""

    corpus: Sequence[CachedSong]
    sung: Sequence[CachedSong]
    judged: Sequence[CachedSong]


def choose(cache: Path, scale: Scale) -> Songs:
    """Choose songs evenly over the training split, and short ones for synthesis and judging."""
    train = song_cache.load_split(cache / "songs", "train")
    count = min(scale.songs, len(train))
    return Songs(
        [train[k * len(train) // count] for k in range(count)],
        recordings.short_songs(train, scale.sung_songs),
        recordings.short_songs(song_cache.load_split(cache / "songs", "val"), scale.judged_songs),
    )


class Sources:
    """Windows and excerpts for the variants, from the ablation's ``folder`` and the training's ``cache``."""

    def __init__(self, cache: Path, folder: Path, songs: Songs, vae: ScoreVae) -> None:
        self.cache, self.folder, self.songs, self.vae = cache, folder, songs, vae.eval()
        self.mean, self.std = latent_statistics(cache)
        self._components: Components | None = None

    def training(self, variant: Variant) -> WindowSource:
        """The variant's training data."""
        if variant.sung is None:
            return self._of_corpus(self.songs.corpus, variant)
        return self._of_recordings(self.songs.sung, variant.sung, "clean")

    def held_out(self, variant: Variant, condition: str) -> WindowSource:
        """The judged songs as windows, without dropout of anything that the variant may see."""
        judged = self.songs.judged
        if variant.sung is None:
            source = self._of_corpus(judged, variant)
        else:
            source = self._of_recordings(judged, variant.sung, condition)
        shown = replace(
            UNTOLD,
            everything=0.0,
            vocal=0.0,
            plan=float(source.dropout.plan == 1.0),  # inputs that are never shown stay hidden
            phases=float(source.dropout.phases == 1.0),
            style=0.0,
            context=1.0,
            true_plan=0.0,
        )
        return replace(source, dropout=shown)

    def excerpts(self, variant: Variant, condition: str, style: str) -> list[Excerpt]:
        """The judged songs as the variant hears them: simulated melodies, or recordings."""
        if variant.sung is None:
            melodies = self.cache / "melodies"
            rows = [np.load(melodies / f"{s.id}.npy", mmap_mode="r")[-1] for s in self.songs.judged]
        else:
            rows = [self._view(song.id, variant.sung, condition) for song in self.songs.judged]
        return [
            excerpt_of(song, heard.astype(np.float32), style)
            for song, heard in zip(self.songs.judged, rows, strict=True)
        ]

    def components(self) -> Components:
        """The principal components of the sung training songs."""
        if self._components is None:
            sung = self.folder / "sung"
            self._components = fit_components(
                recordings.load(sung, s.id, "clean")[1] for s in self.songs.sung
            )
        return self._components

    def _of_corpus(self, songs: Sequence[CachedSong], variant: Variant) -> WindowSource:
        stored = {s.id: found for s in songs if (found := latents.load(self.cache / "latents", s.id))}
        return WindowSource(
            [s for s in songs if s.id in stored],
            stored,
            self.cache / "melodies",
            self.cache / "plans",
            self.mean,
            self.std,
            UNTOLD if variant.plan else NO_PLAN,
        )

    def _of_recordings(self, songs: Sequence[CachedSong], view: str, condition: str) -> WindowSource:
        takes = self.folder / "takes" / f"{view} {condition}".replace(" ", "-")
        takes.mkdir(parents=True, exist_ok=True)
        for song in songs:
            if not (takes / f"{song.id}.npy").exists():
                np.save(
                    takes / f"{song.id}.npy", self._view(song.id, view, condition)[None].astype(np.float16)
                )
        stored = {song.id: self._encoded(song) for song in songs}
        return WindowSource(songs, stored, takes, takes, self.mean, self.std, MELODY_ALONE)

    def _view(self, song_id: str, view: str, condition: str) -> Array:
        """(F, T): melodic features, or the latent of the recording."""
        features, spectrum = recordings.load(self.folder / "sung", song_id, condition)
        return self.components().latent(spectrum) if view == RECORDING else features

    @torch.no_grad()
    def _encoded(self, song: CachedSong) -> SongLatents:
        """The written piano part as a latent, not transposed."""
        path = self.folder / "latents" / f"{song.id}.npz"
        stored = latents.load(path.parent, song.id)
        if stored is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            frames = song.frames // FRAMES_PER_LATENT * FRAMES_PER_LATENT
            rows = torch.from_numpy(draw_rows(song.scores["piano"], 0, frames))[None]
            mean, _ = self.vae.encoder(rows)
            stored = SongLatents(mean.numpy().astype(np.float16), np.array([0]), np.array([0]))
            with whole_file(path) as file:
                np.savez(file, latents=stored.latents, styles=stored.styles, shifts=stored.shifts)
        return stored
