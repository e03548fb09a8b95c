"""How far a singer's semitones lie from A = 440 Hz: one offset for the song, and how it drifts.

A singer without a reference may be anywhere between two semitones, and keeps that offset for the whole
song. The offset is the circular mean of the notes' pitches: the fractional part of a pitch in semitones is
an angle. Each note counts with the median behind its attack, so that scoops and vibrato do not; a second
pass keeps the notes near the first answer.

Letters: N pitch frames of 512 samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from appliance.vocal.notes import notes_from_track
from appliance.vocal.tracker import PITCH_FRAME_S, PitchTrack

REFERENCE_HZ = 440.0

_ATTACK_FRAMES = 8
_ATTACK_SHARE = 0.25
"""The first 90 ms of a note, or its first quarter, lead up to its pitch."""

_LEAST_FRAMES = 4
_MOST_FRAMES = 86
"""A note of more than a second counts no more than one of a second."""

_NEAR_CENTS = 35.0
"""A note further than this from the first answer is a wrong or a blue one."""

_WINDOW_S = 20.0
_STEP_S = 5.0
_LEAST_SUNG_S = 3.0
"""A window with less singing says nothing of the drift."""

_LEAST_CLARITY = 0.3
"""Below this the notes of a window agree on no offset."""

_LEAST_DRIFT_CENTS = 15.0
"""Less than this between the windows is chance: the song has one tuning."""

Curve = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tuning:
    """``cents`` above A = 440 Hz, -50 to 50; ``clarity`` 0-1 says how well the notes agree on it.

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
    notes = _note_pitches(track)
    if not len(notes.at):
        return Tuning(0.0, 0.0, np.zeros(len(track), np.float32))
    offset, clarity = _offset(notes.cents, notes.weight)
    return Tuning(offset, clarity, _curve(notes, offset, len(track)))


def cents_of(reference_hz: float) -> float:
    """Cents of an A of ``reference_hz`` above 440 Hz."""
    return float(1200.0 * np.log2(reference_hz / REFERENCE_HZ))


class _Pitches(NamedTuple):
    """One pitch a note: its middle as a pitch frame, cents above MIDI pitch 0, weight in frames."""

    at: NDArray[np.float64]
    cents: NDArray[np.float64]
    weight: NDArray[np.float64]


def _note_pitches(track: PitchTrack) -> _Pitches:
    """The median pitch of each note behind its attack: vibrato and scoop say nothing of the tuning."""
    found = []
    for note in notes_from_track(track):
        first, last = round(note.start_s / PITCH_FRAME_S), round(note.end_s / PITCH_FRAME_S)
        settled = max(_ATTACK_FRAMES, round(_ATTACK_SHARE * (last - first)))
        f0_hz = track.f0_hz[first + settled : last].astype(np.float64)
        f0_hz = f0_hz[f0_hz > 0.0]
        if len(f0_hz) >= _LEAST_FRAMES:
            cents = 6900.0 + 1200.0 * float(np.log2(np.median(f0_hz) / REFERENCE_HZ))
            found.append(((first + last) / 2, cents, min(len(f0_hz), _MOST_FRAMES) * note.confidence))
    columns = np.asarray(found, np.float64).reshape(-1, 3).T
    return _Pitches(*columns)


def _offset(cents: NDArray[np.float64], weight: NDArray[np.float64]) -> tuple[float, float]:
    """The offset that the pitches share, -50 to 50 cents, and the length of their mean vector (0-1)."""
    mean = np.average(np.exp(2j * np.pi * cents / 100.0), weights=weight)
    offset = float(np.angle(mean)) * 50.0 / np.pi
    for _ in range(3):
        away = _wrapped(cents - offset)
        near = np.abs(away) <= _NEAR_CENTS
        if not near.any():
            break
        offset = float(_wrapped(np.asarray(offset + np.average(away[near], weights=weight[near]))))
    return offset, float(np.abs(mean))


def _curve(notes: _Pitches, offset: float, total: int) -> Curve:
    """The offset of every frame (total,): one for all, or that of the windows where these differ clearly."""
    window, step = round(_WINDOW_S / PITCH_FRAME_S), round(_STEP_S / PITCH_FRAME_S)
    centres: list[float] = []
    offsets: list[float] = []
    for start in range(0, max(total - window, 0) + step, step):
        inside = (notes.at >= start) & (notes.at < start + window)
        if notes.weight[inside].sum() * PITCH_FRAME_S < _LEAST_SUNG_S:
            continue
        here, clarity = _offset(notes.cents[inside], notes.weight[inside])
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
