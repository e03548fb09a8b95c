"""From what is sung to the notes of a band: listen, plan, denoise, decode.

Letters: F = 64 feature rows, T score frames of the song, N = T/2 latent frames, W latent frames a window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from appliance.composing.beat_tracker import track_beats, with_bars
from appliance.composing.key_request import obeyed, plan_in_key
from appliance.composing.plan_chart import chart_from_plan, plan_from_chart
from appliance.composing.plan_variation import decided, varied
from appliance.composing.sampler import euler, guided, timesteps
from appliance.composing.windows import Window, song_windows
from appliance.composing.wishes import Wishes
from appliance.grid import FRAME_RATE_HZ, FRAMES_PER_LATENT, FRAMES_PER_PLAN
from appliance.music.beat_file import parse_beats
from appliance.music.beat_grid import TRUSTED, phases, snap
from appliance.music.chart_keeping import follow_chart
from appliance.music.chord_chart import Chart, parse_chart
from appliance.music.keys import Key, signature_shift
from appliance.music.roll import Roll, RollReader
from appliance.music.score import STYLE_GROUPS, STYLES, BeatGrid, Score
from appliance.networks.condition_rows import PLAN_GIVEN, PLAN_PREDICTED, condition_rows, style_row
from appliance.networks.graphs import Graphs
from appliance.packs.manifest import SamplerFacts
from appliance.packs.pack import Pack
from appliance.vocal.features import transposed

Array = NDArray[np.float32]

LISTEN_FRAMES = 16_384
"""Score frames (12.7 minutes) the planner hears at a time; longer songs are heard in parts."""

DECODE_FRAMES = 512
DECODE_MARGIN = 16
"""Latent frames beside a part that the decoder's convolutions see; with them parts join exactly."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood of the vocal, which lasts ``duration_s``, or given by the user."""

    features: Array
    duration_s: float
    grid: BeatGrid
    key: Key
    key_confidence: float
    plan: Array
    chart: Chart
    certainty: float
    key_given: bool = False


def listen(graphs: Graphs, features: Array, duration_s: float, wishes: Wishes) -> Reading:
    """Beats, key and plan of a vocal with ``features`` (F, T), T a multiple of 4.

    The planner hears the song twice: first for its beats, then, knowing them, for its harmony.

    Raises:
        UsageError: the key, the beats or the chart make no sense.
    """
    unknown = np.zeros((5, features.shape[1]), np.float32)
    _, _, beats = _hear(graphs, features, unknown)
    grid = _grid(beats, duration_s, wishes)
    plan, key_shares, _ = _hear(graphs, features, phases(grid, features.shape[1]))
    key, confidence = _likeliest_key(key_shares)
    heard = key
    if wishes.key is not None:
        key, confidence = Key.parse(wishes.key), 1.0
    certainty = PLAN_PREDICTED
    if wishes.chords is not None:
        chart = parse_chart(wishes.chords, grid, duration_s, wishes.chords_name)
        certainty = PLAN_GIVEN
        plan = plan_from_chart(chart, plan.shape[1])
    elif wishes.key is not None:
        plan, chart, certainty = plan_in_key(plan, key, heard, grid, duration_s)
    else:
        chart = chart_from_plan(plan, grid, duration_s)
    return Reading(
        features, duration_s, grid, key, confidence, plan, chart, certainty, key_given=wishes.key is not None
    )


def redraw(reading: Reading, seed: int, temperature: float) -> Reading:
    """The reading with another harmony that the planner holds possible, and its chart.

    What the user asked for stays: a chart that was given, or the harmony of a key that was.
    """
    if reading.certainty != PLAN_PREDICTED or reading.key_given:
        return reading
    plan = varied(reading.plan, reading.features, seed, temperature)
    if plan is reading.plan:
        return reading
    return replace(reading, plan=plan, chart=chart_from_plan(plan, reading.grid, reading.duration_s))


def _grid(beats: Array, duration_s: float, wishes: Wishes) -> BeatGrid:
    """The beats that were given, or else those that activations ``beats`` (2, T) speak for.

    A given tempo is kept even where it is unsure which of the beats is meant: a band that plays in time
    but late can be moved, one without a tempo cannot.
    """
    if wishes.beats is not None:
        grid = parse_beats(wishes.beats, duration_s, wishes.beats_name)
        return grid if grid.downbeats else with_bars(grid, beats[1])
    grid = track_beats(beats[0], beats[1], FRAME_RATE_HZ, wishes.bpm)
    return grid if wishes.bpm is None else replace(grid, confidence=max(grid.confidence, TRUSTED))


def _hear(graphs: Graphs, features: Array, beat_phases: Array) -> tuple[Array, Array, Array]:
    """The planner over a song of any length: plan (24, T/4), key (24,), beats (2, T)."""
    plans, keys, beats = [], [], []
    for first in range(0, features.shape[1], LISTEN_FRAMES):
        part = slice(first, first + LISTEN_FRAMES)
        plan, key, beat = graphs.plan(features[:, part], beat_phases[:, part])
        plans.append(plan)
        keys.append(key * plan.shape[1])
        beats.append(beat)
    shares = np.sum(keys, axis=0)
    return np.concatenate(plans, axis=1), shares / shares.sum(), np.concatenate(beats, axis=1)


def _likeliest_key(shares: Array) -> tuple[Key, float]:
    best = int(shares.argmax())
    return Key(best % 12, "minor" if best >= 12 else "major"), float(shares[best])


def compose(
    graphs: Graphs,
    pack: Pack,
    reading: Reading,
    style: str,
    seed: int,
    on_step: Callable[[], None] = lambda: None,
) -> Score:
    """A take: the notes of a band playing in ``style`` for the vocal of ``reading``.

    The same graphs, reading, style and seed give the same notes. ``on_step`` is called after each of
    :func:`steps_of` evaluations.
    """
    shift = signature_shift(reading.key)
    rows = _condition(reading, shift)
    denoiser = _Denoiser(graphs, pack.manifest.sampler, rows, STYLES.index(style), on_step)
    latent = denoiser.draw_song(pack.manifest.latent_channels, seed)
    reader = RollReader(pack.manifest.thresholds.for_roll())
    for roll in _decode(graphs, latent):
        reader.add(roll)
    score = reader.score(reading.duration_s).only(*STYLE_GROUPS[style])
    score = snap(score.transposed(-shift), reading.grid)
    if reading.certainty == PLAN_GIVEN:
        return follow_chart(score, reading.chart)
    return obeyed(score, reading.key, reading.chart) if reading.key_given else score


def steps_of(pack: Pack, features: Array) -> int:
    """Evaluations of the denoiser that a take of a song with ``features`` (F, T) needs."""
    sampler = pack.manifest.sampler
    frames = features.shape[1] // FRAMES_PER_LATENT
    return sampler.steps * len(song_windows(frames, sampler.window_frames, sampler.context_frames))


@dataclass(frozen=True, slots=True)
class _Denoiser:
    """Draws latents for the condition ``rows`` (CONDITION_ROWS, T) in the style of that number."""

    graphs: Graphs
    sampler: SamplerFacts
    rows: Array
    style: int
    on_step: Callable[[], None]

    def draw_song(self, channels: int, seed: int) -> Array:
        """The song's latent (Z, N) of Z = ``channels``, window by window."""
        frames = self.rows.shape[1] // FRAMES_PER_LATENT
        latent = np.zeros((channels, frames), np.float32)
        windows = song_windows(frames, self.sampler.window_frames, self.sampler.context_frames)
        for number, window in enumerate(windows):
            noise = np.random.default_rng([seed, number]).standard_normal(
                (channels, window.length), dtype=np.float32
            )
            made = self._draw_window(latent, window, noise)
            inside = min(window.length, frames - window.first)
            latent[:, window.first + window.known : window.first + inside] = made[:, window.known : inside]
        return latent

    def _draw_window(self, latent: Array, window: Window, noise: Array) -> Array:
        """One window (Z, W). The batch is the condition and, where the pack is guided, its absence."""
        graphs, sampler = self.graphs, self.sampler
        length, first = window.length, window.first
        heard = _cut(self.rows, first * FRAMES_PER_LATENT, length * FRAMES_PER_LATENT)
        batch = graphs.batch
        styles = np.stack([style_row(self.style)] * batch)
        tokens, keys_values = graphs.condition(np.stack([heard, np.zeros_like(heard)][:batch]), styles)
        known = (np.arange(length) < window.known).astype(np.float32)[None]
        context = _cut(latent, first, length) * known
        valid = (np.arange(length) < latent.shape[1] - first).astype(np.float32)[None]
        fixed = {
            "context": np.stack([context] * batch),
            "known": np.stack([known] * batch),
            "tokens": tokens,
            "keys_values": keys_values,
            "style": styles,
            "valid": np.stack([valid] * batch),
        }

        def velocity(x: Array, t: float, stride: float) -> Array:
            moment = {"latent": np.stack([x] * batch), "timestep": np.full((batch, 1, 1), t, np.float32)}
            if sampler.few_steps:
                moment["stride"] = np.full((batch, 1, 1), stride, np.float32)
            found = graphs.velocity({**moment, **fixed})
            self.on_step()
            return found[0] if batch == 1 else guided(found[0], found[1], sampler.guidance)

        return euler(velocity, noise, timesteps(sampler.steps, sampler.shift))


def _condition(reading: Reading, shift: int) -> Array:
    """(CONDITION_ROWS, T) of the whole song, moved to the white keys."""
    frames = reading.features.shape[1]
    plan = decided(reading.plan) if reading.certainty == PLAN_PREDICTED else reading.plan
    plan = np.roll(plan.reshape(2, 12, -1), shift, axis=1).reshape(24, -1)
    features = transposed(reading.features, shift)
    return condition_rows(frames, features, phases(reading.grid, frames), plan, reading.certainty)


def _cut(rows: Array, first: int, frames: int) -> Array:
    """Columns ``first`` .. ``first + frames`` of (R, M), zeros beyond its end."""
    part = rows[:, first : first + frames]
    return np.pad(part, ((0, 0), (0, frames - part.shape[1])))


def _decode(graphs: Graphs, latent: Array) -> Iterator[Roll]:
    """The roll of a latent (Z, N) of any length, in parts that join exactly."""
    frames = latent.shape[1]
    for first in range(0, frames, DECODE_FRAMES):
        last = min(first + DECODE_FRAMES, frames)
        left, right = max(0, first - DECODE_MARGIN), min(frames, last + DECODE_MARGIN)
        roll = graphs.decode(latent[:, left:right])
        inner = slice((first - left) * FRAMES_PER_LATENT, (last - left) * FRAMES_PER_LATENT)
        yield Roll.unstacked(roll[:, inner])


def padded(features: Array) -> Array:
    """``features`` (F, T) with T filled up to whole plan frames."""
    return np.pad(features, ((0, 0), (0, -features.shape[1] % FRAMES_PER_PLAN)))
