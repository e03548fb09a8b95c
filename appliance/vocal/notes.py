"""Sung notes: segments of one pitch, cut at pitch steps and at new syllables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from appliance.vocal.onsets import pitch_step, step_peaks
from appliance.vocal.tracker import PITCH_FRAME_S, PitchTrack

_SHORTEST_FRAMES = 6
"""Shortest note (70 ms); anything shorter belongs to the previous note."""

_BRIDGED_FRAMES = 3
"""Longest unvoiced gap (35 ms) that is an error of the tracker, not a rest."""

_STEP_SEMITONES = 0.8
"""Smallest pitch step between two notes; smaller ones are intonation."""

_ATTACK = 0.8
_DIP_DB = 6.0
_DIP_REACH_FRAMES = 10
"""A new syllable on the same pitch is an onset of strength _ATTACK where the level dips by _DIP_DB between
louder frames on both sides."""

_SCOOP_FRAMES = 14
_SCOOP_SEMITONES = 1.0
"""A scoop into a note: a segment of up to 160 ms whose pitch moves by a semitone or more."""


class TrackedNote(NamedTuple):
    """A sung note: start and end in seconds, pitch as a fractional MIDI number, confidence 0-1."""

    start_s: float
    end_s: float
    midi_pitch: float
    confidence: float


def notes_from_track(track: PitchTrack) -> list[TrackedNote]:
    """The sung notes of ``track`` in order of time, without overlaps.

    The pitch of a note is the median of its frames, its confidence their mean voicing.
    """
    semitones = 69.0 + 12.0 * np.log2(np.maximum(track.f0_hz, 1.0) / 440.0)
    strength = _cut_strength(track)
    notes = []
    for start, end in _voiced_runs(track.f0_hz > 0.0):
        for first, last in _segments(strength, track.f0_hz, start, end):
            frames = np.flatnonzero(track.f0_hz[first:last]) + first
            pitch = float(np.median(semitones[frames]))
            confidence = float(track.voiced[frames].mean())
            notes.append(TrackedNote(first * PITCH_FRAME_S, last * PITCH_FRAME_S, pitch, confidence))
    return notes


def _cut_strength(track: PitchTrack) -> NDArray[np.float64]:
    """Evidence that a note begins at each of T frames, (T,); 1 or more permits a cut."""
    by_pitch = step_peaks(pitch_step(track.f0_hz, track.voiced)) / _STEP_SEMITONES
    reach = _DIP_REACH_FRAMES
    padded = np.pad(track.level_db.astype(np.float64), reach, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    shoulder = np.minimum(around[:, : reach + 1].max(axis=1), around[:, reach:].max(axis=1))
    dip = shoulder - around[:, reach // 2 : -reach // 2].min(axis=1)
    by_attack = np.where(dip >= _DIP_DB, track.flux / _ATTACK, 0.0)
    return np.maximum(by_pitch, by_attack)


def _segments(
    strength: NDArray[np.float64], f0_hz: NDArray[np.float32], start: int, end: int
) -> list[tuple[int, int]]:
    """Cut a voiced run into notes; a scoop is joined to the note after it."""
    segments: list[tuple[int, int]] = []
    begin = start
    for cut in [*_cuts(strength, start, end), end]:
        voiced = f0_hz[begin:cut][f0_hz[begin:cut] > 0.0]
        moves = 12.0 * np.log2(voiced.max() / voiced.min()) >= _SCOOP_SEMITONES
        if moves and cut - begin <= _SCOOP_FRAMES and cut < end:
            continue
        segments.append((begin, cut))
        begin = cut
    return segments


def _voiced_runs(is_voiced: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First frame, and frame after the last, of each voiced run that is long enough for a note."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_voiced.astype(np.int8), [0]])))
    runs: list[list[int]] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if runs and start - runs[-1][1] <= _BRIDGED_FRAMES:
            runs[-1][1] = end
        else:
            runs.append([start, end])
    yield from ((start, end) for start, end in runs if end - start >= _SHORTEST_FRAMES)


def _cuts(strength: NDArray[np.float64], start: int, end: int) -> list[int]:
    """Frames inside a run where a note begins: greedily the strongest, at least a shortest note apart."""
    inside = np.arange(start + _SHORTEST_FRAMES, end - _SHORTEST_FRAMES + 1)
    wanted = inside[strength[inside] >= 1.0]
    cuts: list[int] = []
    for frame in wanted[np.argsort(-strength[wanted], kind="stable")].tolist():
        if all(abs(frame - cut) >= _SHORTEST_FRAMES for cut in cuts):
            cuts.append(frame)
    return sorted(cuts)
