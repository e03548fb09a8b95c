"""The chords of a song: composed beat by beat where the user leaves them free.

The planner says which pitch classes suit the melody; the chord network weighs that against what follows what,
and against the chords that the user fixed. Seed 0 takes the likeliest sequence, other seeds draw one near it.

Letters: S slots (beats), C chord states, F = 64 feature rows, T score frames, P plan frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from appliance.composing.chord_sequence import basses_of, best_sequence
from appliance.grid import FRAME_RATE_HZ
from appliance.music.chord_chart import Chart, ChordSpan, merged
from appliance.music.chord_names import NO_CHORD, Chord, parse_chord
from appliance.music.chord_quality import QUALITIES, tones_of
from appliance.music.keys import Key, spell
from appliance.music.score import BeatGrid
from appliance.networks.chord_rows import (
    CHORD_QUALITIES,
    CHORD_STATES,
    NO_CHORD_STATE,
    GivenChords,
    chord_rows,
    means,
    slot_edges,
)
from appliance.networks.graphs import Graphs
from appliance.vocal.features import CHROMA

Array = NDArray[np.float32]

SHORTEST_FREE_S = 0.1
"""Time between fixed chords that is shorter than this gets no chord of its own."""

SLOTS_SEEN = 4
"""Slots before and after the current one whose melody its noise depends on."""


def harmonise(
    graphs: Graphs,
    features: Array,
    plan: Array,
    grid: BeatGrid,
    duration_s: float,
    key: Key,
    fixed: Chart,
    seed: int = 0,
    temperature: float = 0.0,
) -> Chart:
    """The chart of a song from 0 to ``duration_s``, changing on beats only except where ``fixed`` does.

    Args:
        graphs: with a chord network.
        features: (F, T) of the vocal.
        plan: (24, P), the planner's probabilities.
        grid: beats and bars; without beats chords change each half second.
        key: in which roots are spelled.
        fixed: spans that stay as they are; the time between them is free.
        seed: the same seed draws the same chords; a repeated melody gets repeated chords.
        temperature: of the draw; 0 gives the likeliest chords, whatever the seed.

    Raises:
        PackError: the pack has no chord network.
    """
    edges_s = slot_edges(grid, duration_s)
    if len(edges_s) < 2 or plan.shape[1] == 0:
        return fixed
    given = given_chords(fixed, edges_s)
    scores = graphs.chords(*chord_rows(features, plan, edges_s, grid, given))
    noise: Array | float = 0.0
    if seed and temperature > 0.0:
        noise = temperature * melodic_noise(features, edges_s, seed)
    states = best_sequence(scores, given, noise)
    basses = basses_of(scores, states, given)
    labels = [label_of(int(state), int(bass), key) for state, bass in zip(states, basses, strict=True)]
    composed = [
        ChordSpan(a, b, label) for (a, b), label in zip(pairwise(edges_s.tolist()), labels, strict=True)
    ]
    return merged(sorted([*fixed, *_outside(composed, fixed)], key=lambda span: span.start_s))


def given_chords(fixed: Sequence[ChordSpan], edges_s: NDArray[np.float64]) -> GivenChords:
    """The state and bass of each slot that a span of ``fixed`` covers for more than its half."""
    given = GivenChords.none(len(edges_s) - 1)
    halves_s = np.diff(edges_s) / 2
    state, bass = given.state.copy(), given.bass.copy()
    for span in fixed:
        inside = np.diff(np.clip(edges_s, span.start_s, span.end_s)) > halves_s
        chord = parse_chord(span.label)
        state[inside] = NO_CHORD_STATE if chord is None else state_of(chord.quality, chord.root_pitch_class)
        bass[inside] = -1 if chord is None else chord.bass_pitch_class
    return GivenChords(state, bass)


def state_of(quality: str, root: int) -> int:
    """The network's state for a chord on the pitch class ``root``, of the quality nearest to ``quality``."""
    return 12 * CHORD_QUALITIES.index(nearest_quality(quality)) + root


def nearest_quality(quality: str) -> str:
    """The network's quality that shares most tones with ``quality`` and adds fewest; of equals the first.

    >>> nearest_quality("9"), nearest_quality("m6"), nearest_quality("6"), nearest_quality("7sus4")
    ('7', 'm', '', 'sus4')
    """
    if quality in CHORD_QUALITIES:
        return quality
    tones = set(tones_of(quality))
    return min(CHORD_QUALITIES, key=lambda known: len(tones ^ set(QUALITIES[known])))


def label_of(state: int, bass: int, key: Key) -> str:
    """The name of a chord state over the pitch class ``bass``, spelled in ``key``."""
    if state == NO_CHORD_STATE:
        return NO_CHORD
    quality, root = divmod(state, 12)
    over = spell(bass, key) if bass not in (-1, root) else ""
    return Chord(spell(root, key), CHORD_QUALITIES[quality], over).label


def melodic_noise(features: Array, edges_s: NDArray[np.float64], seed: int) -> Array:
    """Noise (C, S) for the chords' scores, of variance 1: a random projection of the melody around each slot.

    So a repeated melody gets the same noise, and with it the same harmony.
    """
    slots = len(edges_s) - 1
    melody = means(features[CHROMA], edges_s * FRAME_RATE_HZ)
    padded = np.pad(melody, ((0, 0), (SLOTS_SEEN, SLOTS_SEEN)))
    seen = [padded[:, offset : offset + slots] for offset in range(2 * SLOTS_SEEN + 1)]
    rows = np.concatenate([*seen, np.full((1, slots), 0.1)])
    unit = rows / np.linalg.norm(rows, axis=0)
    projection = np.random.default_rng([seed, 0x9B]).standard_normal((CHORD_STATES, len(unit)))
    noise: Array = (projection @ unit).astype(np.float32)
    return noise


def _outside(spans: Sequence[ChordSpan], fixed: Sequence[ChordSpan]) -> list[ChordSpan]:
    """The parts of ``spans`` that no span of ``fixed`` covers."""
    left: list[ChordSpan] = []
    for span in spans:
        at_s = span.start_s
        for other in fixed:
            if other.end_s <= at_s or other.start_s >= span.end_s:
                continue
            if other.start_s >= at_s + SHORTEST_FREE_S:
                left.append(ChordSpan(at_s, other.start_s, span.label))
            at_s = max(at_s, other.end_s)
        if at_s + SHORTEST_FREE_S <= span.end_s:
            left.append(ChordSpan(at_s, span.end_s, span.label))
    return left
