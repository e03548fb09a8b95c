"""How far a singer's semitones lie from A = 440 Hz: one offset for the song, and how it drifts.

A singer without a reference may be anywhere between two semitones, and keeps that offset for the whole
song. The offset is the circular mean of the sung pitch: the fractional part of a pitch in semitones is an
angle. The pitch is averaged over most of a period of vibrato, and counts where that average stands still, so
scoops and slides do not.

Letters: N pitch frames of 512 samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from appliance.vocal.tracker import PITCH_FRAME_S, PitchTrack

REFERENCE_HZ = 440.0

_REACH_FRAMES = 6
"""The average spans so many frames before and after: 0.15 s, most of a period of vibrato."""

_SLOPE_FRAMES = 5
_STILL_CENTS = 25.0
"""A pitch that moves so far from 58 ms before to 58 ms after counts 1/e."""

_WINDOW_S = 20.0
_STEP_S = 5.0
_LEAST_SUNG_S = 1.0
"""A window with less singing on a still pitch says nothing of the drift."""

_LEAST_CLARITY = 0.3
"""Below this the pitches of a window agree on no offset."""

_LEAST_DRIFT_CENTS = 20.0
"""Less than this between the windows is chance: the song has one tuning."""

Curve = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tuning:
    """``cents`` above A = 440 Hz, -50 to 50; ``clarity`` 0-1 says how well the pitches agree on it.

    ``curve`` is the offset of every pitch frame in cents, (N,): constant where the singer does not drift.
    """

    cents: float
    clarity: float
    curve: Curve

    @property
    def reference_hz(self) -> float:
        """The singer's A."""
        return float(REFERENCE_HZ * 2.0 ** (self.cents / 1200.0))

    def near(self, cents: float) -> Tuning:
        """The same tuning said by other note names: moved by whole semitones to be nearest to ``cents``."""
        moved = round((cents - self.cents) / 100.0) * 100.0
        return Tuning(self.cents + moved, self.clarity, self.curve + np.float32(moved))

    @property
    def drift_cents(self) -> float:
        """From the song's begin to its end; negative where the singer sinks."""
        return float(self.curve[-1] - self.curve[0]) if len(self.curve) else 0.0


def tuning_of(track: PitchTrack) -> Tuning:
    """The tuning of the singer of ``track``; 0 cents where nothing is sung."""
    sung = _still_pitches(track)
    if not len(sung.at):
        return Tuning(0.0, 0.0, np.zeros(len(track), np.float32))
    offset, clarity = _offset(sung.cents, sung.weight)
    return Tuning(offset, clarity, _curve(sung, offset, len(track)))


def cents_of(reference_hz: float) -> float:
    """Cents of an A of ``reference_hz`` above 440 Hz."""
    return float(1200.0 * np.log2(reference_hz / REFERENCE_HZ))


class _Pitches(NamedTuple):
    """Sung pitch frames: where, averaged pitch in cents above MIDI pitch 0, weight 0-1."""

    at: NDArray[np.intp]
    cents: NDArray[np.float64]
    weight: NDArray[np.float64]


def _still_pitches(track: PitchTrack) -> _Pitches:
    """Frames in the middle of singing, which count the more, the less their pitch moves."""
    reach = _REACH_FRAMES + _SLOPE_FRAMES
    if len(track) <= 2 * reach:
        return _Pitches(np.zeros(0, np.intp), np.zeros(0), np.zeros(0))
    sung = track.f0_hz > 0.0
    cents = 6900.0 + 1200.0 * np.log2(np.where(sung, track.f0_hz, REFERENCE_HZ) / REFERENCE_HZ)
    average = _windows(cents, 2 * _REACH_FRAMES + 1).mean(axis=1)
    moved = average[2 * _SLOPE_FRAMES :] - average[: -2 * _SLOPE_FRAMES]
    middle = average[_SLOPE_FRAMES:-_SLOPE_FRAMES]
    inside = _windows(sung, 2 * reach + 1).all(axis=1)
    weight = np.exp(-np.square(moved / _STILL_CENTS)) * track.voiced[reach:-reach]
    return _Pitches(np.flatnonzero(inside) + reach, middle[inside], weight[inside])


def _windows(values: NDArray[np.generic], length: int) -> NDArray[np.generic]:
    return np.lib.stride_tricks.sliding_window_view(values, length)


def _offset(cents: NDArray[np.float64], weight: NDArray[np.float64]) -> tuple[float, float]:
    """The offset that the pitches share, -50 to 50 cents, and the length of their mean vector (0-1)."""
    mean = np.sum(np.exp(2j * np.pi * cents / 100.0) * weight) / max(float(weight.sum()), 1e-9)
    return float(np.angle(mean)) * 50.0 / np.pi, float(np.abs(mean))


def _curve(sung: _Pitches, offset: float, total: int) -> Curve:
    """The offset of every frame (total,): one for all, or that of the windows where these differ clearly."""
    window, step = round(_WINDOW_S / PITCH_FRAME_S), round(_STEP_S / PITCH_FRAME_S)
    centres: list[float] = []
    offsets: list[float] = []
    for start in range(0, max(total - window, 0) + step, step):
        inside = (sung.at >= start) & (sung.at < start + window)
        if sung.weight[inside].sum() * PITCH_FRAME_S < _LEAST_SUNG_S:
            continue
        here, clarity = _offset(sung.cents[inside], sung.weight[inside])
        if clarity < _LEAST_CLARITY:
            continue
        before = offsets[-1] if offsets else offset
        centres.append(start + window / 2)
        offsets.append(before + float(_wrapped(np.asarray(here - before))))
    if len(offsets) < 3 or max(offsets) - min(offsets) < _LEAST_DRIFT_CENTS:
        return np.full(total, offset, np.float32)
    smooth = np.convolve(np.pad(offsets, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    return np.interp(np.arange(total), centres, smooth).astype(np.float32)


def _wrapped(cents: NDArray[np.float64]) -> NDArray[np.float64]:
    """``cents`` moved by whole semitones into -50 to 50."""
    wrapped: NDArray[np.float64] = (cents + 50.0) % 100.0 - 50.0
    return wrapped
