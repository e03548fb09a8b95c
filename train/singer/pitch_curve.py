"""The pitch curve of a performance.

Steps between notes become slides with overshoot; notes get pitch errors and vibrato; drift and jitter are
added. These are the components that make synthetic singing natural according to Saitou, Unoki and Akagi
("Development of an F0 control model based on F0 dynamic characteristics for singing-voice synthesis", Speech
Communication 46, 2005).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from train.singer.schedule import PlacedNote
from train.singer.voices import VoiceSettings

_VIBRATO_RAMP_S = 0.35
_VIBRATO_SHORTEST_NOTE_S = 0.3


def pitch_midi(
    placed: Sequence[PlacedNote], times_s: NDArray[np.float64], voice: VoiceSettings, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Continuous pitch as fractional MIDI numbers (K,) at K evenly spaced ``times_s`` (K,).

    It is defined everywhere, also in consonants and rests. ``placed`` must not be empty.
    """
    starts = np.array([n.start_s for n in placed])
    targets = np.array([n.pitch for n in placed], np.float64)
    targets += rng.normal(0.0, voice.pitch_error_cents, len(placed)) / 100.0
    index = np.clip(np.searchsorted(starts, times_s, "right") - 1, 0, None)
    curve = targets[index]
    _slide(curve, placed, targets, times_s, voice, rng)
    curve += _vibrato(placed, index, starts, times_s, voice, rng)
    curve += voice.tuning_cents / 100.0
    step_s = float(times_s[1] - times_s[0]) if len(times_s) > 1 else 1.0
    curve += wander(len(times_s), step_s, 4.0, rng) * voice.drift_cents / 100.0
    curve += wander(len(times_s), step_s, 0.08, rng) * voice.jitter_cents / 100.0
    return curve


def wander(count: int, step_s: float, period_s: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Smooth noise (count,) with standard deviation 1 that changes direction about every ``period_s``."""
    knots = max(2, int(np.ceil(count * step_s / period_s)) + 2)
    values = rng.normal(0.0, 1.0, knots)
    at = np.arange(count) * (step_s / period_s)
    left = np.minimum(at.astype(np.int64), knots - 2)
    # Between two independent knots, scale the blend to keep the variance.
    blend = 0.5 - 0.5 * np.cos(np.pi * (at - left))
    mixed = values[left] * (1.0 - blend) + values[left + 1] * blend
    return np.asarray(mixed / np.sqrt((1.0 - blend) ** 2 + blend**2))


def _slide(
    curve: NDArray[np.float64],
    placed: Sequence[PlacedNote],
    targets: NDArray[np.float64],
    times_s: NDArray[np.float64],
    voice: VoiceSettings,
    rng: np.random.Generator,
) -> None:
    """Replace each step of ``curve`` (K,) by a slide, in place."""
    scoops = rng.uniform(size=len(placed)) < voice.scoop_probability
    depths = voice.scoop_cents / 100.0 * rng.uniform(0.5, 1.5, len(placed))
    for i, note in enumerate(placed):
        joined = i > 0 and note.phrase == placed[i - 1].phrase
        length_s = note.last_s - note.start_s
        if not joined:
            if scoops[i]:
                rise_s = min(0.06, 0.2 * length_s)
                lo, hi = np.searchsorted(times_s, (note.first_s, note.start_s + 6.0 * rise_s))
                since = np.maximum(times_s[lo:hi] - note.start_s, 0.0)
                curve[lo:hi] = targets[i] - depths[i] * np.exp(-since / rise_s)
            continue
        interval = targets[i] - targets[i - 1]
        glide_s = min(voice.glide_s, 0.5 * length_s, 0.5 * (note.start_s - placed[i - 1].start_s))
        # The slide precedes the vowel, so that the vowel starts nearly in tune.
        centre_s = note.start_s - 0.25 * glide_s
        lo, hi = np.searchsorted(times_s, (centre_s - glide_s, centre_s + glide_s))
        local = times_s[lo:hi] - centre_s
        curve[lo:hi] = targets[i - 1] + interval / (1.0 + np.exp(-local * (8.0 / glide_s)))
        lo, hi = np.searchsorted(times_s, (note.start_s, note.start_s + 0.3))
        since = times_s[lo:hi] - note.start_s
        room = min(1.0, length_s / 0.3)
        curve[lo:hi] += (
            room * voice.overshoot * interval * np.sin(since * (2.0 * np.pi / 0.16)) * np.exp(-since / 0.06)
        )


def _vibrato(
    placed: Sequence[PlacedNote],
    index: NDArray[np.int64],
    starts: NDArray[np.float64],
    times_s: NDArray[np.float64],
    voice: VoiceSettings,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    lengths = np.array([n.last_s - n.start_s for n in placed])
    depths = voice.vibrato_cents / 100.0 * rng.uniform(0.6, 1.2, len(placed))
    depths[lengths < _VIBRATO_SHORTEST_NOTE_S] = 0.0
    delays = np.minimum(voice.vibrato_delay_s * rng.uniform(0.6, 1.4, len(placed)), 0.5 * lengths)
    rates = voice.vibrato_hz * rng.normal(1.0, 0.04, len(placed))
    phases = rng.uniform(0.0, 2.0 * np.pi, len(placed))
    since = times_s - starts[index] - delays[index]
    full = np.clip(since / _VIBRATO_RAMP_S, 0.0, 1.0) * depths[index]
    return np.asarray(full * np.sin(2.0 * np.pi * rates[index] * since + phases[index]))
