"""Level and voicing of a performance over time.

Amplitudes are set note by note, then smoothed over 25 ms, as an RMS meter does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from train.singer.schedule import PlacedNote
from train.singer.syllables import Segment
from train.singer.voices import VoiceSettings

FLOOR_DB = -100.0
_RELEASE_S = 0.07
_SMOOTHING_S = 0.025
_DB_PER_SEMITONE = 0.35
"""Singers get louder with pitch: about 8 dB in two octaves."""


def note_levels_db(
    placed: Sequence[PlacedNote], voice: VoiceSettings, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Level of each note's vowel (N,) in dBFS: phrases swell and fade, high notes are louder."""
    pitches = np.array([n.pitch for n in placed], np.float64)
    phrases = np.array([n.phrase for n in placed])
    mids = np.array([(n.start_s + n.end_s) / 2 for n in placed])
    peaks = rng.uniform(0.3, 0.8, phrases[-1] + 1)
    strengths = rng.normal(0.0, 1.0, phrases[-1] + 1)
    levels = voice.level_db + _DB_PER_SEMITONE * (pitches - np.median(pitches))
    for phrase in range(phrases[-1] + 1):
        mine = phrases == phrase
        first, last = placed[int(np.argmax(mine))], placed[len(placed) - 1 - int(np.argmax(mine[::-1]))]
        at = (mids[mine] - first.start_s) / max(last.end_s - first.start_s, 1e-3)
        peak = peaks[phrase]
        rise = np.where(at < peak, at / peak, (1.0 - at) / (1.0 - peak))
        levels[mine] += voice.dynamics_db * (rise - 0.7 + 0.35 * strengths[phrase])
    levels += rng.normal(0.0, 1.2, len(placed))
    return np.clip(levels, FLOOR_DB, -6.0)


@dataclass(frozen=True, slots=True)
class Levels:
    """Voicing and level at K points.

    ``voiced`` (K,) is 0 or 1, ``level_db`` (K,) in dBFS, not below -100. ``gain`` (K,) is the amplitude of
    the *vowel*, also during its consonants; it drives a synthesiser that shapes consonants itself. ``breath``
    (K,) is True during audible breaths.
    """

    voiced: NDArray[np.float32]
    level_db: NDArray[np.float32]
    gain: NDArray[np.float64]
    breath: NDArray[np.bool_]


def levels_of(
    placed: Sequence[PlacedNote],
    times_s: NDArray[np.float64],
    voice: VoiceSettings,
    rng: np.random.Generator,
) -> Levels:
    """Voicing and level at K evenly spaced ``times_s`` (K,) from 0 s; ``placed`` must not be empty."""
    levels = note_levels_db(placed, voice, rng)
    count = len(times_s)
    step_s = float(times_s[1])
    voiced = np.zeros(count, np.float32)
    gain = np.zeros(count)
    relative_db = np.zeros(count)
    breath = np.zeros(count, np.bool_)

    def frames(start_s: float, end_s: float) -> slice:
        return slice(min(max(ceil(start_s / step_s), 0), count), min(max(ceil(end_s / step_s), 0), count))

    def consonants(segments: Sequence[Segment], start_s: float, loudness: float) -> None:
        for segment in segments:
            here = frames(start_s, start_s + segment.duration_s)
            gain[here], voiced[here], relative_db[here] = loudness, float(segment.voiced), segment.level_db
            start_s += segment.duration_s

    for i, note in enumerate(placed):
        loudness = 10.0 ** (levels[i] / 20.0)
        phrase_ends = i + 1 == len(placed) or placed[i + 1].phrase != note.phrase
        from_silence = i == 0 or note.first_s - placed[i - 1].last_s > 0.03
        here = frames(note.start_s, note.end_s)
        since = times_s[here] - note.start_s
        shape = np.ones(len(since))
        if from_silence and not any(s.voiced for s in note.onset):
            shape *= 1.0 - np.exp(-(since + step_s) / (voice.attack_s / 2.0))
        if phrase_ends and not note.coda:
            shape *= np.clip((note.end_s - times_s[here]) / _RELEASE_S, 0.05, 1.0)
        if note.end_s - note.start_s > 0.5:  # long notes swell or fade by a few dB
            shape *= 10.0 ** (rng.normal(0.0, 1.5) / 20.0 * np.minimum(since, 2.0))
        gain[here], voiced[here] = loudness * shape, 1.0
        consonants(note.onset, note.first_s, loudness)
        consonants(note.coda, note.end_s, loudness * (shape[-1] if len(shape) else 1.0))
        if phrase_ends and i + 1 < len(placed) and voice.breath_level_db > FLOOR_DB:
            end_s = placed[i + 1].first_s - 0.03
            length_s = min(0.35, end_s - note.last_s - 0.02)
            if length_s > 0.08:
                air = frames(end_s - length_s, end_s)
                air_db = voice.level_db + voice.breath_level_db + rng.normal(0.0, 3.0)
                gain[air] = 10.0 ** (air_db / 20.0) * np.hanning(air.stop - air.start + 2)[1:-1]
                breath[air] = True

    gain = np.sqrt(_smooth(gain**2, _SMOOTHING_S / step_s))
    power = _smooth((gain * 10.0 ** (relative_db / 20.0)) ** 2, _SMOOTHING_S / step_s)
    level_db = 10.0 * np.log10(np.maximum(power, 10.0 ** (FLOOR_DB / 10.0)))
    return Levels(voiced, level_db.astype(np.float32), gain, breath)


def _smooth(values: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Moving average of ``values`` (K,) with a Hann window of ``width`` points."""
    kernel = np.hanning((round(width) | 1) + 2)[1:-1]
    padded = np.pad(values, len(kernel) // 2)
    return np.asarray(np.convolve(padded, kernel / kernel.sum(), "valid"))
