"""How loud a singer is, and where the voice stops.

Levels are laid note by note on a floor, in amplitude, then smoothed over a few tens of milliseconds as
the ear (and an RMS meter) would.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from train.singer.schedule import PlacedNote
from train.singer.voices import VoiceSettings

FLOOR_DB = -100.0
_RELEASE_S = 0.07
_DB_PER_SEMITONE = 0.35
"""Singers get louder as they go up: about 8 dB in two octaves."""


def note_levels_db(
    placed: Sequence[PlacedNote], voice: VoiceSettings, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Level of each note's vowel (n,), dBFS: a phrase swells and fades, high notes are louder."""
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


def voiced_and_level(
    placed: Sequence[PlacedNote],
    times_s: NDArray[np.float64],
    voice: VoiceSettings,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Voicing 0 or 1 (K,) and level in dBFS (K,), not below -100, at K evenly spaced ``times_s`` (K,)."""
    step_s = float(times_s[1] - times_s[0]) if len(times_s) > 1 else 1.0
    levels = note_levels_db(placed, voice, rng)
    voiced = np.zeros(len(times_s), np.float32)
    amplitude = np.zeros(len(times_s))

    def frames(start_s: float, end_s: float) -> slice:
        return slice(
            *np.clip(
                np.ceil(np.array([start_s, end_s]) / step_s - times_s[0] / step_s), 0, len(times_s)
            ).astype(int)
        )

    for i, note in enumerate(placed):
        vowel = 10.0 ** (levels[i] / 20.0)
        last_of_breath = i + 1 == len(placed) or placed[i + 1].phrase != note.phrase
        after_silence = i == 0 or note.first_s - placed[i - 1].last_s > 0.03
        at = note.first_s
        for segment in note.onset:
            _lay(
                amplitude,
                voiced,
                frames(at, at + segment.duration_s),
                segment.voiced,
                segment.level_db,
                vowel,
            )
            at += segment.duration_s
        here = frames(note.start_s, note.end_s)
        since = times_s[here] - note.start_s
        left = note.end_s - times_s[here]
        shape = np.ones(len(since))
        if after_silence and not any(s.voiced for s in note.onset):
            shape *= 1.0 - np.exp(-(since + step_s) / (voice.attack_s / 2.0))
        if last_of_breath and not note.coda:
            shape *= np.clip(left / _RELEASE_S, 0.05, 1.0)
        # A held note swells or dies by up to 4 dB.
        swell_db = rng.normal(0.0, 1.5) if note.end_s - note.start_s > 0.5 else 0.0
        shape *= 10.0 ** (swell_db / 20.0 * np.clip(since, 0.0, 2.0))
        amplitude[here] = vowel * shape
        voiced[here] = 1.0
        at = note.end_s
        for segment in note.coda:
            _lay(
                amplitude,
                voiced,
                frames(at, at + segment.duration_s),
                segment.voiced,
                segment.level_db,
                vowel,
            )
            at += segment.duration_s
        if last_of_breath and i + 1 < len(placed):
            gap_s = placed[i + 1].first_s - note.last_s
            breath_s = min(0.35, gap_s - 0.05)
            if breath_s > 0.08 and voice.breath_level_db > FLOOR_DB:
                end_s = placed[i + 1].first_s - 0.03
                loud = 10.0 ** ((voice.level_db + voice.breath_level_db + rng.normal(0.0, 3.0)) / 20.0)
                breath = frames(end_s - breath_s, end_s)
                amplitude[breath] = loud * np.hanning(breath.stop - breath.start + 2)[1:-1]
    kernel = np.hanning(max(3, round(0.03 / step_s) | 1) + 2)[1:-1]
    power = (
        np.convolve(amplitude**2, kernel / kernel.sum(), "same")
        if len(amplitude) >= len(kernel)
        else amplitude**2
    )
    level_db = 10.0 * np.log10(np.maximum(power, 10.0 ** (FLOOR_DB / 10.0)))
    return voiced, level_db.astype(np.float32)


def _lay(
    amplitude: NDArray[np.float64],
    voiced: NDArray[np.float32],
    here: slice,
    is_voiced: bool,
    level_db: float,
    vowel: float,
) -> None:
    amplitude[here] = vowel * 10.0 ** (level_db / 20.0)
    voiced[here] = float(is_voiced)
