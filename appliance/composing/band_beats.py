"""The beats of a recorded band, from its notes, where what the planner hears agrees.

The planner was trained on singing. On bands it often counts otherwise than the score, and it is as sure as
when it is right. So the weights of the notes find the beats (long notes, low notes, drums and changes of
harmony stand on strong ones), and both must agree on beats and bars, apart from counting some of them only.

Letters: T score frames, P plan frames, M notes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from appliance.composing.bars import Accents
from appliance.composing.beat_tracker import track_beats
from appliance.composing.plan_chart import PLAN_RATE_HZ
from appliance.grid import FRAME_RATE_HZ, FRAMES_PER_PLAN
from appliance.music.attributes import BASS_BELOW
from appliance.music.beat_grid import trusted
from appliance.music.score import DRUM_GROUP, BeatGrid, Note
from appliance.music.sounding import chroma_and_bass, coverage

AGREEMENT = 0.9
"""Share of the beats, and of the bar starts, of one reading that the other must have."""

TOLERANCE_S = 0.07

_ONSET, _DRUM, _LONGEST_S = 0.3, 0.7, 2.0
"""Weight of any onset, of a drum's, and the length in seconds up to which a longer note weighs more."""

_HARMONY_WEIGHT, _HARMONY_FRAMES = 2.0, 8
"""Weight of a complete change of harmony; plan frames before and after an onset that are compared, 1.5 s."""

_ONSET_STRENGTH, _STRONGEST = 0.5, 1.5

Array = NDArray[np.float32]


def band_beats(notes: Sequence[Note], duration_s: float, heard: BeatGrid) -> BeatGrid:
    """The beats of ``notes``; an empty grid if they are not sure, or disagree with ``heard``."""
    frames = FRAMES_PER_PLAN * math.ceil(duration_s * PLAN_RATE_HZ)
    plan = plan_of(notes, duration_s)
    beat, downbeat = note_weights(notes, plan, frames)
    halves = np.array([2.0 * FRAME_RATE_HZ * note.start_s for note in notes]).astype(np.intp)
    onsets = np.bincount(halves[halves < 2 * frames], minlength=2 * frames)
    strength = np.minimum(_ONSET_STRENGTH * onsets, _STRONGEST).astype(np.float32)
    grid = track_beats(beat, downbeat, FRAME_RATE_HZ, accents=Accents(plan, strength))
    return grid if trusted(grid) and agree(grid, heard) else BeatGrid()


def plan_of(notes: Sequence[Note], duration_s: float) -> Array:
    """The harmony (24, P) of ``notes``: pitch classes, and those of the bass."""
    pitched = [note for note in notes if note.group != DRUM_GROUP]
    pitch = np.array([note.pitch for note in pitched], np.intp)
    start = PLAN_RATE_HZ * np.array([note.start_s for note in pitched])
    end = PLAN_RATE_HZ * np.array([note.end_s for note in pitched])
    sounding = coverage(pitch, start, end, math.ceil(duration_s * PLAN_RATE_HZ))
    return chroma_and_bass(sounding).astype(np.float32)


def note_weights(notes: Sequence[Note], plan: Array, frames: int) -> tuple[Array, Array]:
    """How strongly T = ``frames`` frames seem to be a beat, and the start of a bar: (T,) each, 0 to 1."""
    start = np.array([note.start_s for note in notes])
    frame = np.minimum((start * FRAME_RATE_HZ).astype(np.intp), frames - 1)
    length = np.minimum(np.array([note.end_s for note in notes]) - start, _LONGEST_S)
    drum = np.array([note.group == DRUM_GROUP for note in notes], np.bool_)
    low = np.array([note.group == "bass" or note.pitch < BASS_BELOW for note in notes], np.bool_) & ~drum
    weight = np.where(drum, _DRUM, (_ONSET + length) * np.where(low, 2.0, 1.0))
    beat = np.bincount(frame, weight, frames).astype(np.float64)
    downbeat = np.bincount(frame[low], length[low], frames).astype(np.float64)
    struck = np.flatnonzero(beat)
    strong = struck[beat[struck] > np.median(beat[struck])] if len(struck) else struck
    downbeat[strong] += _HARMONY_WEIGHT * _changes(plan[:12], strong // FRAMES_PER_PLAN)
    return _scaled(beat), _scaled(downbeat)


def agree(one: BeatGrid, other: BeatGrid) -> bool:
    """Whether both have bars, and beats and bar starts of one are (nearly all) among those of the other."""
    if not one.downbeats or not other.downbeats:
        return False
    bars = [np.asarray(grid.beats_s)[list(grid.downbeats)] for grid in (one, other)]
    beats = [np.asarray(grid.beats_s) for grid in (one, other)]
    return all(max(_among(a, b), _among(b, a)) >= AGREEMENT for a, b in (beats, bars))


def _among(times_s: NDArray[np.float64], others_s: NDArray[np.float64]) -> float:
    """Share of the times between the first and the last of the others that have one of them near."""
    inside = (times_s >= others_s[0] - TOLERANCE_S) & (times_s <= others_s[-1] + TOLERANCE_S)
    if not inside.any():
        return 0.0
    nearest = np.abs(times_s[inside, None] - others_s[None]).min(axis=1)
    return float((nearest <= TOLERANCE_S).mean())


def _changes(chroma: Array, at: NDArray[np.intp]) -> NDArray[np.float64]:
    """How much the harmony changes at each plan frame of ``at``, 0 to 1: one minus the cosine."""
    sums = np.pad(np.cumsum(chroma, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    last = chroma.shape[1]
    before = sums[:, at] - sums[:, np.maximum(at - _HARMONY_FRAMES, 0)]
    after = sums[:, np.minimum(at + _HARMONY_FRAMES, last)] - sums[:, at]
    size = np.linalg.norm(before, axis=0) * np.linalg.norm(after, axis=0)
    cosine = (before * after).sum(axis=0) / np.maximum(size, 1e-9)
    return np.where(size > 0, 1.0 - cosine, 0.0)


def _scaled(weight: NDArray[np.float64]) -> Array:
    positive = weight[weight > 0]
    highest = float(np.percentile(positive, 90)) if len(positive) else 1.0
    return np.clip(weight / highest, 0.0, 1.0).astype(np.float32)
