"""The sources that the audio decoder shapes: plain tones and noise for the notes of one group.

In neural source-filter models (Wang et al., arXiv 1904.12088) the source carries the pitch and the network
only filters it. Here, each group has three *sources*, summed over its notes: a tone that decays slowly or not
at all, the same tone as a short stroke, and noise. Every source is a closed form of the sample number, so any
section can be computed alone and is always the same.

Tones contain all harmonics below the Nyquist frequency, falling by 6 dB per octave. Each pitch is read from a
loop of a whole number of periods and of samples, within 0.1 cent of equal temperament.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.score import DRUM_GROUP, DRUM_KEYS, LOWEST_PITCH, PITCHES, Note

Array = NDArray[np.float32]

SOURCES = 3
"""Slow tone, stroke, noise."""

TONE_LEVEL = 0.1
"""RMS of a tone or noise at full velocity."""

ATTACK_S = 0.0015
STROKE_S = 0.08
BURST_S = 0.03
BREATH = 0.05
"""Level of the noise that lasts as long as the note, relative to the burst at its start."""
RELEASE_S = 0.12
SILENT = 7.0
"""Time constants after which a decay counts as silent (61 dB)."""

RING_S = {36: 0.12, 38: 0.15, 37: 0.04, 42: 0.05, 46: 0.35, 45: 0.25, 50: 0.2, 49: 0.8, 51: 0.6, 54: 0.12}
"""Time constant of the decay of each drum."""

SKIN_HZ = {36: 55.0, 38: 185.0, 45: 95.0, 50: 150.0}
"""Final frequency of each drum with a pitch; it starts an octave higher and falls with FALL_S."""
FALL_S = 0.03
SKIN_S = 0.12

_LOOP_SAMPLES = 8192
"""A loop has at least this many samples, and less than twice as many."""
_NOISE_SAMPLES = 65_536


@dataclass(frozen=True, slots=True)
class ToneShape:
    """The tones of a group: the time constant ``decay_s`` at middle C, and the detuning of unison voices.

    Without ``decay_s`` a tone keeps its level until the note ends.
    """

    decay_s: float | None = None
    detuned_cents: tuple[float, ...] = (0.0,)


STRUCK = ToneShape(decay_s=1.2)
HELD = ToneShape()
ENSEMBLE = ToneShape(detuned_cents=(-5.0, 0.0, 6.0))


def tone_shape(style: str, group: str) -> ToneShape:
    """The tone of a group. Keyboards, plucked strings and most basses decay; pads and bowed basses do not."""
    if group == "pad" or (group == "bass" and style in ("strings", "organ")):
        return HELD if style == "organ" else ENSEMBLE
    return STRUCK


@dataclass(frozen=True, slots=True)
class TimedNote:
    """A note in samples: ``start``, ``end`` (release), ``last`` audible sample; its ``level`` is 0-1."""

    start: int
    end: int
    last: int
    pitch: int
    level: float


class Excitation:
    """The sources of the ``notes`` of one group.

    ``style`` and ``group`` select the tone. Notes that start at or after ``total_samples`` are left out.
    Tones are tuned to ``tuning_cents`` above A = 440 Hz, drums are not.
    """

    def __init__(
        self,
        notes: Iterable[Note],
        style: str,
        group: str,
        total_samples: int | None = None,
        tuning_cents: float = 0.0,
    ) -> None:
        self._drums = group == DRUM_GROUP
        self._tuning_cents = tuning_cents
        self._shape = tone_shape(style, group)
        struck = [self._timed(note) for note in sorted(notes)]
        self._notes = [n for n in struck if total_samples is None or n.start < total_samples]
        self._lasts = np.array([note.last for note in self._notes], np.int64)
        self._starts = np.array([note.start for note in self._notes], np.int64)

    def _timed(self, note: Note) -> TimedNote:
        start = round(note.start_s * SAMPLE_RATE_HZ)
        end = max(round(note.end_s * SAMPLE_RATE_HZ), start + 1)
        if self._drums:
            ring_s = max(RING_S[note.pitch], SKIN_S)
            last = start + int(SILENT * ring_s * SAMPLE_RATE_HZ)
        else:
            last = end + int(SILENT * RELEASE_S * SAMPLE_RATE_HZ)
        return TimedNote(start, end, last, note.pitch, (note.velocity / 127.0) ** 2)

    def _sounding(self, first: int, last: int) -> list[TimedNote]:
        inside = np.flatnonzero((self._starts < last) & (self._lasts > first))
        return [self._notes[k] for k in inside.tolist()]

    def sources(self, first: int, samples: int) -> Array:
        """Samples ``first`` to ``first + samples`` of every source: (SOURCES, samples) float32."""
        out = np.zeros((SOURCES, samples), np.float32)
        for note in self._sounding(first, first + samples):
            start, stop = max(note.start, first), min(note.last, first + samples)
            at = np.arange(start - note.start, stop - note.start)
            place = slice(start - first, stop - first)
            made = self._drum(note, at) if self._drums else self._tone(note, at)
            for source, sound in zip(out, made, strict=True):
                source[place] += sound
        return out

    def activity(self, moments: NDArray[np.int64]) -> Array:
        """Activity of each pitch at the F samples ``moments`` (F,): (2 · 88, F), 0-1.

        The first 88 rows are the square root of the slow tone's amplitude, the others the stroke. Drums use
        the first rows of both, in the order of DRUM_KEYS.
        """
        rows = np.zeros((2, PITCHES, len(moments)), np.float32)
        if not len(moments):
            return rows.reshape(2 * PITCHES, 0)
        for note in self._sounding(int(moments[0]), int(moments[-1]) + 1):
            row = DRUM_KEYS.index(note.pitch) if self._drums else note.pitch - LOWEST_PITCH
            here = slice(*np.searchsorted(moments, (note.start, note.last)).tolist())
            at = moments[here] - note.start
            slow = _decay(at, 2.0 * RING_S[note.pitch]) if self._drums else np.sqrt(self._slow(note, at))
            stroke = _decay(at, STROKE_S)
            for plane, values in enumerate((slow, stroke)):
                cells = rows[plane, row, here]
                np.maximum(cells, np.float32(note.level**0.5) * values, out=cells)
        return rows.reshape(2 * PITCHES, -1)

    def _slow(self, note: TimedNote, at: NDArray[np.int64]) -> Array:
        """Envelope of the slow tone at the samples ``at`` (n,) after the onset, at most 1: (n,)."""
        length = note.end - note.start
        released = np.maximum(at - length, 0) / (RELEASE_S * SAMPLE_RATE_HZ)
        if self._shape.decay_s is not None:
            decay_s = self._shape.decay_s * 2.0 ** ((60 - note.pitch) / 18.0)
            released = released + at / (decay_s * SAMPLE_RATE_HZ)
        envelope: Array = np.exp(-released.astype(np.float32))
        return envelope

    def _tone(self, note: TimedNote, at: NDArray[np.int64]) -> tuple[Array, Array, Array]:
        level = np.float32(note.level) * _attack(at)
        tone = np.zeros(len(at), np.float32)
        for cents in self._shape.detuned_cents:
            tone += np.take(_loop(note.pitch, cents, self._tuning_cents), at, mode="wrap")
        tone *= level / np.float32(len(self._shape.detuned_cents) ** 0.5)
        slow, stroke = self._slow(note, at), _decay(at, STROKE_S)
        hiss = _hiss(note, at) * level * (_decay(at, BURST_S) + np.float32(BREATH) * slow)
        return tone * slow, tone * stroke, hiss

    @staticmethod
    def _drum(note: TimedNote, at: NDArray[np.int64]) -> tuple[Array, Array, Array]:
        level = np.float32(note.level)
        hiss = _hiss(note, at) * level
        skin = np.zeros(len(at), np.float32)
        if note.pitch in SKIN_HZ:
            time_s = at / SAMPLE_RATE_HZ
            turns = SKIN_HZ[note.pitch] * (time_s + FALL_S * (1.0 - np.exp(-time_s / FALL_S)))
            swing = np.sin(2.0 * np.pi * turns).astype(np.float32)
            skin = np.float32(2.0 * TONE_LEVEL) * level * swing * _attack(at) * _decay(at, SKIN_S)
        return skin, hiss * _decay(at, BURST_S), hiss * _decay(at, RING_S[note.pitch])


def _attack(at: NDArray[np.int64]) -> Array:
    ramp: Array = np.minimum((at + 1) / (ATTACK_S * SAMPLE_RATE_HZ), 1.0).astype(np.float32)
    return ramp


def _decay(at: NDArray[np.int64], constant_s: float) -> Array:
    envelope: Array = np.exp(at.astype(np.float32) * np.float32(-1.0 / (constant_s * SAMPLE_RATE_HZ)))
    return envelope


def _hiss(note: TimedNote, at: NDArray[np.int64]) -> Array:
    """White noise: each note reads the same noise from a different position."""
    noise: Array = np.take(_noise(), at + 7919 * note.pitch + note.start, mode="wrap")
    return noise


@lru_cache(maxsize=1)
def _noise() -> Array:
    stream = np.random.RandomState(1904)  # frozen stream, unlike default_rng
    noise: Array = (TONE_LEVEL * stream.standard_normal(_NOISE_SAMPLES)).astype(np.float32)
    return noise


@lru_cache(maxsize=3 * PITCHES)
def _loop(pitch: int, cents: float, tuning_cents: float) -> Array:
    """One loop of a pitch's tone: 8,192 to 16,384 samples, the length that fits the period best."""
    period = SAMPLE_RATE_HZ / (440.0 * 2.0 ** ((pitch - 69 + (cents + tuning_cents) / 100.0) / 12.0))
    turns = np.arange(np.ceil(_LOOP_SAMPLES / period), np.floor(2 * _LOOP_SAMPLES / period) + 1)
    best = int(turns[np.argmin(np.abs(turns * period - np.rint(turns * period)) / turns)])
    samples = round(best * period)
    harmonics = np.arange(1, int((samples // 2 - 1) / best) + 1)
    # Spread phases avoid a pulse; each voice has its own, otherwise all harmonics would beat in step.
    phase = 2.0 * np.pi * (harmonics**2 * (0.6180339887498949 + 0.0137 * cents) % 1.0)
    spectrum = np.zeros(samples // 2 + 1, np.complex128)
    spectrum[best * harmonics] = np.exp(1j * phase) / harmonics
    tone = np.fft.irfft(spectrum, samples)
    tone *= TONE_LEVEL / np.sqrt(np.mean(np.square(tone)))
    loop: Array = tone.astype(np.float32)
    return loop
