"""Draws the latent of a song with the denoiser, window by window, and decodes it to rolls.

Letters: T score frames of the song, N = T/2 latent frames, W latent frames of a window, Z latent channels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.composing.sampler import euler, guided, timesteps
from appliance.composing.windows import Window, song_windows
from appliance.grid import FRAMES_PER_LATENT
from appliance.music.roll import Roll
from appliance.networks.condition_rows import style_row
from appliance.networks.graphs import Graphs
from appliance.packs.manifest import SamplerFacts

Array = NDArray[np.float32]

DECODE_FRAMES = 512
"""Latent frames that the score VAE decodes at once."""
DECODE_MARGIN = 16
"""Further latent frames on each side: with the convolutions' context, the parts join exactly."""


@dataclass(frozen=True, slots=True)
class LatentDrawing:
    """Draws the latent of a song for the condition ``rows`` (CONDITION_ROWS, T).

    ``style`` is an index into STYLES; ``on_step`` is called after each forward pass.
    """

    graphs: Graphs
    sampler: SamplerFacts
    rows: Array
    style: int
    on_step: Callable[[], None]

    def of_song(self, channels: int, seed: int) -> Array:
        """Draw the song's latent (Z, N) window by window; Z = ``channels``."""
        frames = self.rows.shape[1] // FRAMES_PER_LATENT
        latent = np.zeros((channels, frames), np.float32)
        windows = song_windows(frames, self.sampler.window_frames, self.sampler.context_frames)
        for number, window in enumerate(windows):
            noise = np.random.default_rng([seed, number]).standard_normal(
                (channels, window.length), dtype=np.float32
            )
            made = self._window(latent, window, noise)
            inside = min(window.length, frames - window.first)
            latent[:, window.first + window.known : window.first + inside] = made[:, window.known : inside]
        return latent

    def _window(self, latent: Array, window: Window, noise: Array) -> Array:
        """Draw one window (Z, W). The batch is the condition and, for packs with guidance, zeros."""
        graphs, sampler = self.graphs, self.sampler
        length, first = window.length, window.first
        rows = _cut(self.rows, first * FRAMES_PER_LATENT, length * FRAMES_PER_LATENT)
        batch = graphs.batch
        styles = np.stack([style_row(self.style)] * batch)
        tokens, keys_values = graphs.condition(np.stack([rows, np.zeros_like(rows)][:batch]), styles)
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


def _cut(rows: Array, first: int, frames: int) -> Array:
    """Columns ``first`` to ``first + frames`` of ``rows`` (R rows, M frames), zeros beyond its end."""
    part = rows[:, first : first + frames]
    return np.pad(part, ((0, 0), (0, frames - part.shape[1])))


def decoded(graphs: Graphs, latent: Array) -> Iterator[Roll]:
    """Decode a latent (Z, N) of any length; yields rolls that join exactly."""
    frames = latent.shape[1]
    for first in range(0, frames, DECODE_FRAMES):
        last = min(first + DECODE_FRAMES, frames)
        left, right = max(0, first - DECODE_MARGIN), min(frames, last + DECODE_MARGIN)
        roll = graphs.decode(latent[:, left:right])
        inner = slice((first - left) * FRAMES_PER_LATENT, (last - left) * FRAMES_PER_LATENT)
        yield Roll.unstacked(roll[:, inner])
