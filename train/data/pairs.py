"""Training data of the fit network: stretches of sung songs with true and worsened accompaniments.

Every accompaniment has a quality (:mod:`train.data.quality`).

Letters: T score frames, K accompaniments of a stretch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAMES_PER_PLAN
from appliance.music.beat_grid import phases
from appliance.music.keys import Key, signature_shift
from appliance.music.score import STYLES, BeatGrid
from appliance.networks.band_rows import draw_band
from appliance.vocal.features import transposed as features_transposed
from train.data import damage
from train.data.quality import qualities
from train.data.song_cache import CachedSong
from train.data.targets import cut

Array = NDArray[np.float32]

PIANO_SHARE = 0.4
KNOWN_BEATS, WRONG_BEATS = 0.65, 0.15
"""Probability that the network gets beats, and that these beats are wrong."""


def in_white_keys(song: CachedSong) -> CachedSong:
    """The song transposed to the key signature of C major and A minor, with voice, scores and key."""
    shift = signature_shift(song.key)
    voice = song.voice.copy()
    voice[:, 2] += shift
    scores = {style: damage.transposed(notes, shift) for style, notes in song.scores.items()}
    return replace(song, key=Key((song.key.tonic + shift) % 12, song.key.mode), voice=voice, scores=scores)


@dataclass(frozen=True, slots=True)
class PairSource:
    """``songs`` transposed to white keys; ``shifts`` are their transpositions in semitones, by id."""

    songs: Sequence[CachedSong]
    shifts: dict[str, int]
    melodies: Path

    @staticmethod
    def of(songs: Sequence[CachedSong], melodies: Path) -> PairSource:
        """A source of those ``songs`` that have sung melodies."""
        usable = [s for s in songs if len(s.voice) and (melodies / f"{s.id}.npy").exists()]
        shifts = {s.id: signature_shift(s.key) for s in usable}
        return PairSource([in_white_keys(s) for s in usable], shifts, melodies)

    def item(self, frames: int, count: int, rng: np.random.Generator) -> dict[str, NDArray[np.generic]]:
        """A random stretch of a random song, as :meth:`item_of` returns it."""
        return self.item_of(self.songs[rng.integers(len(self.songs))], frames, count, rng)

    def item_of(
        self, song: CachedSong, frames: int, count: int, rng: np.random.Generator
    ) -> dict[str, NDArray[np.generic]]:
        """A random stretch of ``song`` with ``count`` accompaniments, the true one first.

        Returns:
            features (64, T), phases (5, T), bands (K, BAND_ROWS, T), quality (K,), and shift (), the song's
            transposition in semitones.
        """
        first = int(rng.integers(max(1, song.frames - frames))) // FRAMES_PER_PLAN * FRAMES_PER_PLAN
        made = self.accompaniments(song, count, rng)
        bands = np.stack([draw_band(notes, first, frames) for notes in made])
        return {
            "features": self.features(song, first, frames, rng),
            "phases": given_phases(song, first, frames, rng),
            "bands": bands,
            "quality": qualities(song, made, bands, first, frames),
            "shift": np.array(self.shifts[song.id]),
        }

    def features(self, song: CachedSong, first: int, frames: int, rng: np.random.Generator) -> Array:
        """Features (64, T) of a random performance, in white keys."""
        return self.heard(song, first, frames, rng)[0]

    def heard(
        self, song: CachedSong, first: int, frames: int, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Features (64, T) of a random performance and its plan (24, T/4), in white keys.

        The plan is the planner's if it is stored, otherwise the written one.
        """
        takes = np.load(self.melodies / f"{song.id}.npy", mmap_mode="r")
        take, shift = int(rng.integers(len(takes))), self.shifts[song.id]
        stored = self.melodies.with_name("plans") / f"{song.id}.npy"
        plan = np.load(stored, mmap_mode="r")[take] if stored.exists() else song.plan
        plan = cut(plan, first // FRAMES_PER_PLAN, frames // FRAMES_PER_PLAN).reshape(2, 12, -1)
        features = features_transposed(cut(takes[take], first, frames), shift)
        return features, np.roll(plan, shift, axis=1).reshape(24, -1)

    def random_accompaniment(self, rng: np.random.Generator) -> tuple[Array, NDArray[np.float64]]:
        """Notes and bar lines of a random song in a random style."""
        song = self.songs[rng.integers(len(self.songs))]
        return song.scores[random_style(song, rng)], damage.bars_of(song)

    def accompaniments(self, song: CachedSong, count: int, rng: np.random.Generator) -> list[Array]:
        """``count`` accompaniments: two true ones, one intact but wrong one, then worsened ones."""
        made = [song.scores[random_style(song, rng)], song.scores[random_style(song, rng)]]
        negatives = damage.hard_negatives(
            song, song.scores[random_style(song, rng)], self.random_accompaniment(rng), rng
        )
        made.append(list(negatives.values())[rng.integers(len(negatives))]())
        while len(made) < count:
            notes = song.scores[random_style(song, rng)]
            made.append(
                damage.worsened(song, notes, self.random_accompaniment(rng), rng.uniform(0.1, 1.0), rng)
            )
        return made[:count]


def random_style(song: CachedSong, rng: np.random.Generator) -> str:
    """A random style of ``song``, most often the written piano part."""
    return STYLES[0] if rng.uniform() < PIANO_SHARE else list(song.scores)[rng.integers(len(song.scores))]


def given_phases(song: CachedSong, first: int, frames: int, rng: np.random.Generator) -> Array:
    """Beat phases (5, T) as at run time: usually right, sometimes zero, sometimes of a wrong beat grid."""
    if rng.uniform() >= KNOWN_BEATS or len(song.grid.beats_s) < 3:
        return np.zeros((5, frames), np.float32)
    grid = song.grid
    if rng.uniform() < WRONG_BEATS:
        beats = np.asarray(grid.beats_s)
        beats = beats[:-1] + np.diff(beats) * float(rng.choice([1 / 2, 1 / 3, 2 / 3]))
        grid = BeatGrid(tuple(beats.tolist()), tuple(range(0, len(beats), grid.meter)), 1.0, grid.meter)
    return cut(phases(grid, song.frames), first, frames)
