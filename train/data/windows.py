"""Training windows for the denoiser: a latent and its condition, with parts of the condition hidden.

Everything optional at run time is sometimes hidden in training: harmony, rhythm, dials, beats, vocal, style,
and all of them together, which classifier-free guidance needs.

Letters: Z latent channels, N latent frames, T = 2 N score frames, S styles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.composing.plan_chart import plan_from_chart
from appliance.grid import FRAMES_PER_LATENT, FRAMES_PER_PLAN
from appliance.music.bar_lines import BarLines
from appliance.music.beat_grid import phases
from appliance.music.note_rows import score_of
from appliance.music.rhythm_plan import rhythm_of, rhythm_rows
from appliance.music.score import STYLES
from appliance.networks.condition_rows import PLAN_GIVEN, PLAN_PREDICTED, condition_rows, style_row
from appliance.packs.dial_table import DialTable
from appliance.vocal.features import transposed
from train.data.dial_statistics import written_chart
from train.data.latents import SongLatents
from train.data.shown_dials import shown_dials
from train.data.song_cache import CachedSong
from train.data.targets import cut

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Dropout:
    """Probability that each part of the condition is hidden."""

    everything: float = 0.1
    vocal: float = 0.05
    plan: float = 0.15
    phases: float = 0.2
    style: float = 0.1
    context: float = 0.5
    rhythm: float = 0.5
    rhythm_bars: float = 0.3
    """Probability that a rhythm plan is shown for some of the bars only."""
    dials: float = 0.4
    true_plan: float = 0.4
    """Probability that a shown plan is the written one, not the planner's."""
    chart: float = 0.5
    """Probability that a written plan is that of the song's chords, as a chart gives it, not of its notes."""


@dataclass(frozen=True, slots=True)
class WindowSource:
    """The arrays from which windows are cut.

    ``melodies``, ``plans`` and ``bars`` are folders; ``plans`` may lack predictions. ``bars`` holds what each
    bar does (:func:`train.data.dial_statistics.statistics`) and ``table`` what songs do; without a table no
    dials are shown. ``mean`` and ``std`` (Z,) normalise the latents.
    """

    songs: Sequence[CachedSong]
    latents: Mapping[str, SongLatents]
    melodies: Path
    plans: Path
    mean: Array
    std: Array
    dropout: Dropout = Dropout()
    bars: Path | None = None
    table: DialTable | None = None

    def window(self, frames: int, rng: np.random.Generator) -> dict[str, Array]:
        """One random window of ``frames`` latent frames.

        Returns:
            latent (Z, N) normalised, rows (CONDITION_ROWS, T), style (S, 1), context (Z, N),
            known (1, N), valid (1, N).
        """
        song = self.songs[rng.integers(len(self.songs))]
        stored = self.latents[song.id]
        which = int(rng.integers(len(stored.styles)))
        length = stored.latents.shape[2]
        step = FRAMES_PER_PLAN // FRAMES_PER_LATENT  # start on a plan frame, so that all rates stay aligned
        first = int(rng.integers(max(1, (length - frames // 2) // step))) * step
        latent = cut(stored.latents[which], first, frames)
        valid = (np.arange(frames) < length - first).astype(np.float32)[None]
        latent = (latent - self.mean[:, None]) / self.std[:, None] * valid
        style_index, shift = int(stored.styles[which]), int(stored.shifts[which])
        rows, style = self._condition(song, style_index, shift, first, frames, rng)
        context, known = self._context(latent, rng)
        return {
            "latent": latent.astype(np.float32),
            "rows": rows,
            "style": style,
            "context": context.astype(np.float32),
            "known": known,
            "valid": valid,
        }

    def _condition(
        self, song: CachedSong, style: int, shift: int, first: int, frames: int, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        drop = self.dropout
        score_first, score_frames = first * FRAMES_PER_LATENT, frames * FRAMES_PER_LATENT
        shown = style_row(None if rng.uniform() < drop.style else style)
        if rng.uniform() < drop.everything:
            return condition_rows(score_frames), shown
        takes = np.load(self.melodies / f"{song.id}.npy", mmap_mode="r")
        take = int(rng.integers(len(takes)))
        features = transposed(cut(takes[take], score_first, score_frames), shift)
        features *= float(rng.uniform() >= drop.vocal)
        beat = np.zeros((5, score_frames), np.float32)
        if rng.uniform() >= drop.phases:
            beat = cut(phases(song.grid, song.frames), score_first, score_frames)
        plan, certainty = None, 0.0
        if rng.uniform() >= drop.plan:
            plan, certainty = self._plan(song, take, rng)
            plan_first = score_first // FRAMES_PER_PLAN
            plan = cut(plan, plan_first, score_frames // FRAMES_PER_PLAN).reshape(2, 12, -1)
            plan = np.roll(plan, shift, axis=1).reshape(24, -1)
        rhythm = None
        if rng.uniform() >= drop.rhythm:
            rhythm = cut(self._rhythm(song, style, shift, rng), score_first, score_frames)
        dials = None
        if self.bars and self.table and rng.uniform() >= drop.dials:
            lines = BarLines.of(song.grid, song.duration_s)
            sums = np.load(self.bars / f"{song.id}.npy", mmap_mode="r")[style]
            spreads = self.table.styles[STYLES[style]]
            shown_frames = score_first + score_frames
            dials = shown_dials(sums, spreads, lines, shown_frames, rng, shift)[:, score_first:]
        return condition_rows(score_frames, features, beat, plan, certainty, rhythm, dials), shown

    def _rhythm(self, song: CachedSong, style: int, shift: int, rng: np.random.Generator) -> Array:
        """Rows of the rhythm that the song's part in ``style`` has, for all of its bars or for a stretch."""
        name = STYLES[style]
        score = score_of(song.scores[name], song.duration_s).transposed(shift)
        lines = BarLines.of(song.grid, song.duration_s)
        plan = list(rhythm_of(score, lines))
        if plan and rng.uniform() < self.dropout.rhythm_bars:
            first, stop = np.sort(rng.integers(0, len(plan) + 1, 2))
            shown = (np.arange(len(plan)) >= first) & (np.arange(len(plan)) < stop)
            shown = shown if rng.uniform() < 0.5 else ~shown
            plan = [bar if seen else None for bar, seen in zip(plan, shown, strict=True)]
        return rhythm_rows(tuple(plan), lines, song.frames)

    def _plan(
        self, song: CachedSong, take: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.floating], float]:
        predicted = self.plans / f"{song.id}.npy"
        if rng.uniform() < self.dropout.true_plan or not predicted.exists():
            if song.chords and rng.uniform() < self.dropout.chart:
                chart = written_chart(song, BarLines.of(song.grid, song.duration_s))
                return plan_from_chart(chart, song.plan.shape[1]), PLAN_GIVEN
            return song.plan, PLAN_GIVEN
        return np.load(predicted, mmap_mode="r")[take], PLAN_PREDICTED

    def _context(self, latent: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        frames = latent.shape[1]
        known = np.zeros((1, frames), np.float32)
        if rng.uniform() >= self.dropout.context:
            known[:, : int(rng.integers(8, frames // 2))] = 1.0
        return latent * known, known
