"""The vocal as input of the networks: features of its melody, not of its sound.

Chroma-like features transfer from synthetic and separated singing to real, dry singing; features of the sound
do not (SingSong, arXiv 2301.12662; AnyAccomp, arXiv 2509.14052).

Shapes: N pitch frames of 512 samples, T score frames of 4 pitch frames, F = 64 feature rows.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

HOPS_PER_FRAME = 4
LOWEST_SUNG_PITCH = 36
SUNG_PITCHES = 48
CHROMA = slice(0, 12)
PITCH = slice(12, 12 + SUNG_PITCHES)
VOICED = 60
LOUDNESS = 61
ONSET = slice(62, 64)
FEATURE_ROWS = 64

LOUDNESS_RANGE_DB = 48.0
"""Loudness is 1 at the singer's loud level and 0 at this many dB below it."""

Array = NDArray[np.float32]


class Track(Protocol):
    """Curves of a vocal, each (N,): a :class:`appliance.vocal.tracker.PitchTrack` or a simulation."""

    @property
    def f0_hz(self) -> Array: ...
    @property
    def voiced(self) -> Array: ...
    @property
    def level_db(self) -> Array: ...
    @property
    def flux(self) -> Array: ...


def features_of(track: Track, tuning_cents: Array | float = 0.0) -> Array:
    """Features (F, T) of a track of N pitch frames, T = N / 4 rounded up.

    Rows: chroma of the sung pitch (12); the sung pitch (48 semitones from MIDI 36, other pitches moved into
    that range by octaves); voicing; loudness relative to the singer's loud level; onset strength in the first
    and in the second half of the frame (2). A pitch between two semitones is divided between both.

    ``tuning_cents`` is the singer's offset from A = 440 Hz, one for all frames or one per frame (N,). The
    features are those of the same melody in tune.

    >>> from types import SimpleNamespace
    >>> one = np.ones(8, np.float32)  # two score frames of a sung A4, 440 Hz
    >>> a4 = SimpleNamespace(f0_hz=440 * one, voiced=one, level_db=-20 * one, flux=0 * one)
    >>> features_of(a4)[CHROMA].argmax(axis=0).tolist()  # pitch class 9 is A
    [9, 9]
    """
    frames = -(-len(track.f0_hz) // HOPS_PER_FRAME)
    features = np.zeros((FEATURE_ROWS, frames), np.float32)
    sung = np.flatnonzero((track.f0_hz > 0) & (track.voiced > 0.05))
    midi = 69.0 + 12.0 * np.log2(track.f0_hz[sung].astype(np.float64) / 440.0)
    midi -= np.broadcast_to(tuning_cents, track.f0_hz.shape)[sung] / 100.0
    weight = track.voiced[sung] / HOPS_PER_FRAME
    lower = np.floor(midi).astype(np.int64)
    upper_share = midi - lower
    frame = sung // HOPS_PER_FRAME
    for pitch, share in ((lower, 1.0 - upper_share), (lower + 1, upper_share)):
        np.add.at(features, (pitch % 12, frame), share * weight)
        np.add.at(features, (PITCH.start + _row(pitch), frame), share * weight)
    features[VOICED] = _by_frame(track.voiced, frames).mean(axis=1)
    features[LOUDNESS] = _by_frame(_loudness(track), frames).mean(axis=1)
    halves = _by_frame(track.flux, frames).reshape(frames, 2, HOPS_PER_FRAME // 2)
    features[ONSET] = np.clip(halves.max(axis=2).T, 0.0, 2.0)
    return features


def transposed(features: Array, semitones: int) -> Array:
    """Features of the melody transposed by ``semitones``: (F, T) -> (F, T)."""
    moved: Array = features.copy()
    moved[CHROMA] = np.roll(features[CHROMA], semitones, axis=0)
    moved[PITCH] = 0.0
    rows = _row(np.arange(SUNG_PITCHES) + LOWEST_SUNG_PITCH + semitones)
    np.add.at(moved, PITCH.start + rows, features[PITCH])
    return moved


def _row(pitch: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row of a MIDI pitch among the sung pitches; pitches outside the range move into it by octaves."""
    row = pitch - LOWEST_SUNG_PITCH
    below, above = row < 0, row >= SUNG_PITCHES
    inside: NDArray[np.int64] = np.where(above, SUNG_PITCHES - 12 + row % 12, row)
    return np.where(below, row % 12, inside)


def _loudness(track: Track) -> Array:
    voiced = track.level_db[track.voiced > 0.5]
    loud = float(np.percentile(voiced if voiced.size else track.level_db, 95)) if len(track.level_db) else 0.0
    relative: Array = np.clip(1.0 + (track.level_db - loud) / LOUDNESS_RANGE_DB, 0.0, 1.2).astype(np.float32)
    return relative


def _by_frame(curve: Array, frames: int) -> Array:
    padded: Array = np.pad(curve, (0, frames * HOPS_PER_FRAME - len(curve)))
    return padded.reshape(frames, HOPS_PER_FRAME)
