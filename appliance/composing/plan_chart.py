"""Converts a plan to a chord chart and a chord chart to a plan.

A plan (24, P) has the strength of each pitch class (rows 0-11) and of each bass pitch class (rows 12-23) in P
plan frames of 186 ms. A chart names chords.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.grid import FRAME_RATE_HZ, FRAMES_PER_PLAN
from appliance.music.chord_chart import Chart, ChordSpan, merged
from appliance.music.chord_names import NO_CHORD, Chord, parse_chord
from appliance.music.chord_quality import QUALITIES
from appliance.music.keys import estimate_key, spell
from appliance.music.score import BeatGrid
from appliance.numerics.viterbi import Arrival, best_path, from_options

PLAN_RATE_HZ = FRAME_RATE_HZ / FRAMES_PER_PLAN
ESTIMATED_QUALITIES = ("", "m", "dim", "aug", "7", "maj7", "m7", "m7b5", "sus4")
"""Chord qualities that :func:`chart_from_plan` can find, besides no chord."""

# Probability that a pitch class sounds, given its role in the chord. Fifths are often omitted; thirds and
# sevenths distinguish chords. A silent seventh costs more than a sounding one gains, so triads win ties.
_P_TONE, _P_FIFTH, _P_OTHER, _P_SILENT = 0.75, 0.6, 0.1, 0.03
_P_BASS, _P_OTHER_BASS = 0.75, 0.08
_QUALITY_PRIOR = {"": 0.0, "m": -0.05, "7": -0.3, "m7": -0.3, "maj7": -0.5}
_COSTS = np.array([0.0, 2.0, 3.0], np.float32)  # of no change, another bass, another chord
_INVERSION, _FOREIGN_BASS = -1.0, -3.0


def plan_from_chart(chart: Chart, n_plan_frames: int) -> NDArray[np.float32]:
    """The plan (24, P) of ``chart``; P = ``n_plan_frames``.

    A chord that covers part of a frame counts with that share. Time without a chord is zero.
    """
    plan = np.zeros((24, n_plan_frames), dtype=np.float64)
    edges = np.arange(n_plan_frames + 1) / PLAN_RATE_HZ
    for span in chart:
        chord = parse_chord(span.label)
        if chord is None:
            continue
        inside = np.clip(edges, span.start_s, span.end_s)
        share = np.diff(inside) * PLAN_RATE_HZ
        rows = [*sorted(chord.pitch_classes), 12 + chord.bass_pitch_class]
        plan[rows] += share
    return np.clip(plan, 0.0, 1.0).astype(np.float32)


def chart_from_plan(
    plan: NDArray[np.float32], grid: BeatGrid, duration_s: float, prior: NDArray[np.float32] | float = 0.0
) -> Chart:
    """The most likely chords of ``plan`` (24, P) from 0 to ``duration_s``, changing only on beats.

    Viterbi decoding (Sheh and Ellis, ISMIR 2003) over :data:`ESTIMATED_QUALITIES` on twelve roots, each over
    any bass, and no chord. Pitch classes are independent given the chord; a change of chord or bass has a
    cost. Without beats, steps last 0.5 s. Roots are spelled in the plan's key. ``prior`` (109,) is added per
    step to each chord's log likelihood: each quality on twelve roots, and no chord last.
    """
    if duration_s <= 0 or plan.shape[1] == 0:
        return []
    edges_s = _step_edges(grid, duration_s)
    steps = _step_means(np.asarray(plan, dtype=np.float64), edges_s)
    for rows in (slice(12), slice(12, 24)):
        # An uncertain planner gives low values throughout, so scale by the song's own level. A step with only
        # the decay of the previous chord stays low.
        loudest = steps[rows].max(0)
        steps[rows] /= np.maximum(loudest, max(0.6 * float(np.quantile(loudest, 0.9)), 0.1))
    gain = np.asarray(prior, np.float32).reshape(-1, 1)
    emission = _emission(steps[:12], steps[12:])
    emission += gain
    path = best_path(emission.reshape(len(emission), -1), lambda scores, _: chord_arrival(scores))
    key, _ = estimate_key(plan[:12].sum(1), plan[12:].sum(1))
    labels = []
    for state in path:
        chord, bass = divmod(int(state), 12)
        quality, root = divmod(chord, 12)
        if quality == len(ESTIMATED_QUALITIES):
            labels.append(NO_CHORD)
        else:
            slash = spell(bass, key) if bass != root else ""
            labels.append(Chord(spell(root, key), ESTIMATED_QUALITIES[quality], slash).label)
    return merged([ChordSpan(a, b, c) for a, b, c in zip(edges_s[:-1], edges_s[1:], labels, strict=True)])


def _step_edges(grid: BeatGrid, duration_s: float) -> list[float]:
    """Times between which a chord cannot change, rounded to milliseconds: 0, the beats, the end."""
    inner = np.asarray(grid.beats_s) if len(grid.beats_s) > 1 else np.arange(0.5, duration_s, 0.5)
    # A remainder under 0.1 s before the first or after the last beat is joined to its neighbour.
    inner = inner[(inner > 0.1) & (inner < duration_s - 0.1)]
    return [0.0, *np.unique(np.round(inner, 3)).tolist(), round(duration_s, 3)]


def _step_means(plan: NDArray[np.float64], edges_s: list[float]) -> NDArray[np.float64]:
    """Mean of ``plan`` (24, P) over each of S steps between the edges: (24, S)."""
    total = np.pad(np.cumsum(plan, axis=1), ((0, 0), (1, 0)))
    position = np.clip(np.asarray(edges_s) * PLAN_RATE_HZ, 0, plan.shape[1])
    whole = np.minimum(position.astype(int), plan.shape[1] - 1)
    at_edges = total[:, whole] + plan[:, whole] * (position - whole)
    means: NDArray[np.float64] = np.diff(at_edges, axis=1) / np.maximum(np.diff(position), 1e-9)
    return means


def _emission(chroma: NDArray[np.float64], bass: NDArray[np.float64]) -> NDArray[np.float32]:
    """Log likelihood of S steps, ``chroma`` and ``bass`` (12, S) each, per chord and bass: (S, 109, 12).

    The last chord is no chord.
    """
    n = 12 * len(ESTIMATED_QUALITIES)
    sounds = np.full((n + 1, 12), _P_OTHER)
    prior = np.full((n + 1, 12), _FOREIGN_BASS)
    for q, quality in enumerate(ESTIMATED_QUALITIES):
        for root in range(12):
            tones = [(root + step) % 12 for step in QUALITIES[quality]]
            sounds[12 * q + root, tones] = _P_TONE
            if quality in ("", "m", "7", "maj7", "m7"):
                sounds[12 * q + root, (root + 7) % 12] = _P_FIFTH
            prior[12 * q + root, tones] = _INVERSION
            prior[12 * q + root, root] = 0.0
            prior[12 * q + root] += _QUALITY_PRIOR.get(quality, -0.8)
    sounds[n] = _P_SILENT
    bass_sounds = np.where(np.eye(12, dtype=bool), _P_BASS, _P_OTHER_BASS)

    def likelihood(activity: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(activity.T @ np.log(p).T + (1 - activity).T @ np.log(1 - p).T)

    by_chord, by_bass = likelihood(chroma, sounds), likelihood(bass, bass_sounds)
    silent_bass = likelihood(bass, np.full((1, 12), _P_SILENT))
    joint = np.empty((len(by_chord), n + 1, 12), np.float32)
    for chord in range(n):  # chord by chord, to limit memory: an hour has thousands of steps
        joint[:, chord] = by_chord[:, chord, None] + by_bass + prior[chord]
    joint[:, n] = by_chord[:, n, None] + silent_bass
    return joint


def chord_arrival(scores: NDArray[np.float32]) -> Arrival:
    """Viterbi transition: stay, change the bass, or change the chord.

    ``scores`` (12·C,) are those of the states chord · 12 + bass, for C chords.
    """
    by_chord = scores.reshape(-1, 12)
    over_best_bass = 12 * np.arange(len(by_chord)) + by_chord.argmax(axis=1)
    best = over_best_bass[scores[over_best_bass].argmax()]
    own = np.arange(len(scores))
    sources = np.stack([own, np.repeat(over_best_bass, 12), np.full_like(own, best)])
    return from_options(scores, sources, _COSTS)
