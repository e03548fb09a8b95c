"""The timbre of a voice: adapts spoken frames to the singer and joins them without clicks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from train.singer.speech import SPEECH_RATE_HZ
from train.singer.voices import VoiceSettings
from train.singer.words import SpokenSyllable
from train.singer.world import BINS

_SILENCE = -27.0
"""Log power of frames without sound."""

_JOIN_FRAMES = 3
"""Frames on each side over which two syllables are smoothed together (17 ms)."""


class Timbre:
    """Applies a voice's settings to spectra; made once per song."""

    def __init__(self, voice: VoiceSettings) -> None:
        hz = np.arange(BINS) * (SPEECH_RATE_HZ / 2.0 / (BINS - 1))
        self._tilt = voice.tilt_db_per_octave * np.log2(np.maximum(hz, 500.0) / 500.0) * (np.log(10.0) / 10.0)
        at = np.minimum(np.arange(BINS) / voice.formant_ratio, BINS - 1.0)
        self._low = at.astype(np.int64)
        self._high = np.minimum(self._low + 1, BINS - 1)
        self._part = at - self._low
        # Breath noise is audible at high frequencies, where the voice is weak.
        self._breathiness = voice.breathiness * np.clip((hz - 500.0) / 3000.0, 0.0, 1.0)

    def frames(
        self,
        source: NDArray[np.float64],
        syllable: NDArray[np.int64],
        spoken: Sequence[SpokenSyllable],
        breath: NDArray[np.bool_],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """The K frames to synthesise.

        ``source`` (K,) is the fractional frame in the word of ``spoken[syllable]``; ``syllable`` (K,) is -1
        in silence; ``breath`` (K,) marks breaths. Returns the power envelope (K, 257), in which vowels have
        mean power 1, aperiodicity (K, 257) and voicing (K,).
        """
        count = len(source)
        log_power = np.full((count, BINS), _SILENCE)
        aperiodicity = np.ones((count, BINS))
        lit = np.zeros(count, np.bool_)
        edges = np.flatnonzero(np.diff(syllable, prepend=-1, append=-1))
        for a, b in pairwise(edges):
            if syllable[a] < 0:
                continue
            said = spoken[int(syllable[a])]
            word = said.word
            low = np.minimum(source[a:b].astype(np.int64), len(word.voiced) - 1)
            high = np.minimum(low + 1, len(word.voiced) - 1)
            part = (source[a:b] - low)[:, None].astype(np.float32)
            bent = word.envelope[low] * (1.0 - part) + word.envelope[high] * part
            bent = bent[:, self._low] * (1.0 - self._part) + bent[:, self._high] * self._part
            log_power[a:b] = self._levelled(bent, said)
            in_vowel = (source[a:b] >= said.vowel_start) & (source[a:b] <= said.vowel_end)
            nearest = np.rint(source[a:b]).astype(np.int64).clip(0, len(word.voiced) - 1)
            lit[a:b] = word.voiced[nearest] | in_vowel
            tone = self._noisy(word.aperiodicity[nearest], in_vowel)
            aperiodicity[a:b] = np.where(lit[a:b, None], tone, 1.0)
        self._breathe(log_power, syllable, breath, spoken)
        self._melt(log_power, aperiodicity, edges[1:-1], syllable)
        return np.exp(log_power), np.clip(aperiodicity, 1e-3, 1.0), lit

    def _levelled(self, bent: NDArray[np.float64], said: SpokenSyllable) -> NDArray[np.float64]:
        """Apply the spectral tilt, then scale to mean power 1 over the vowel."""
        vowel = np.exp(said.word.envelope[said.vowel_start : said.vowel_end].astype(np.float64)).mean(axis=0)
        mouth = vowel[self._low] * (1.0 - self._part) + vowel[self._high] * self._part
        return np.asarray(bent + self._tilt - np.log((mouth * np.exp(self._tilt)).mean()))

    def _noisy(self, aperiodicity: NDArray[np.float32], in_vowel: NDArray[np.bool_]) -> NDArray[np.float64]:
        # A vowel frame at the edge of voicing is analysed as noise; it gets the vowel's mean instead.
        tone = aperiodicity.astype(np.float64)
        noise_like = in_vowel & (tone.mean(axis=1) > 0.95)
        tonal = in_vowel & ~noise_like
        tone[noise_like] = tone[tonal].mean(axis=0) if tonal.any() else 0.5
        return np.asarray(1.0 - (1.0 - tone) * (1.0 - self._breathiness))

    def _breathe(
        self,
        log_power: NDArray[np.float64],
        syllable: NDArray[np.int64],
        breath: NDArray[np.bool_],
        spoken: Sequence[SpokenSyllable],
    ) -> None:
        """Fill breaths with noise shaped like the next vowel, but flatter."""
        for k in np.flatnonzero(breath & ~np.roll(breath, 1)):
            end = k + int(np.argmin(np.append(breath[k:], False)))
            following = syllable[end:][syllable[end:] >= 0]
            if not len(following):
                continue
            said = spoken[int(following[0])]
            mouth = 0.5 * said.word.envelope[said.vowel_start : said.vowel_end].mean(axis=0)
            air = mouth + np.linspace(-3.0, 1.5, BINS)
            log_power[k:end] = np.where(
                syllable[k:end, None] < 0, air - np.log(np.exp(air).mean()), log_power[k:end]
            )

    @staticmethod
    def _melt(
        log_power: NDArray[np.float64],
        aperiodicity: NDArray[np.float64],
        edges: NDArray[np.int64],
        syllable: NDArray[np.int64],
    ) -> None:
        kernel = np.hanning(2 * _JOIN_FRAMES + 3)[1:-1]
        kernel /= kernel.sum()
        for edge in edges:
            a, b = edge - _JOIN_FRAMES, edge + _JOIN_FRAMES
            if a < _JOIN_FRAMES or b + _JOIN_FRAMES >= len(syllable) or (syllable[a:b] < 0).any():
                continue
            for values in (log_power, aperiodicity):
                window = values[a - _JOIN_FRAMES : b + _JOIN_FRAMES]
                values[a:b] = sum(w * window[i : i + b - a] for i, w in enumerate(kernel))
