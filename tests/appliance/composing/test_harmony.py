"""Chords around those that are fixed, with a network that hears what the test tells it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.chord_hearing import Hears

from appliance.composing.harmony import harmonise, label_of, melodic_noise, nearest_quality, state_of
from appliance.music.chord_chart import Chart, ChordSpan
from appliance.music.chord_names import parse_chord
from appliance.music.keys import Key
from appliance.music.score import BeatGrid
from appliance.networks.chord_rows import (
    CHORD_QUALITIES,
    CHORD_STATES,
    NO_CHORD_STATE,
)
from appliance.vocal.features import CHROMA

GRID = BeatGrid(tuple(0.5 * k for k in range(9)), (0, 4, 8), 1.0, 4)
DURATION_S = 4.0
C, F, G7 = state_of("", 0), state_of("", 5), state_of("7", 7)
KEY = Key(0, "major")


def composed(graphs: Any, fixed: Chart | None = None, **options: Any) -> list[tuple[float, float, str]]:
    features, plan = np.zeros((64, 86), np.float32), np.zeros((24, 22), np.float32)
    chart = harmonise(graphs, features, plan, GRID, DURATION_S, KEY, fixed or [], **options)
    return [(span.start_s, span.end_s, span.label) for span in chart]


def test_the_likeliest_chords_are_named_and_joined() -> None:
    assert composed(Hears([C] * 4 + [G7] * 2 + [C] * 2)) == [(0, 2, "C"), (2, 3, "G7"), (3, 4, "C")]
    assert composed(Hears([C] * 4 + [NO_CHORD_STATE] * 4, over=4)) == [(0, 2, "C/E"), (2, 4, "N")]


def test_what_is_fixed_stays_to_the_millisecond_and_is_told_to_the_network() -> None:
    graphs = Hears([C] * 8)
    fixed = [ChordSpan(1.0, 2.0, "Fmaj9/A"), ChordSpan(3.1, 3.3, "Dm")]
    found = composed(graphs, fixed)
    assert found == [(0, 1, "C"), (1, 2, "Fmaj9/A"), (2, 3.1, "C"), (3.1, 3.3, "Dm"), (3.3, 4, "C")]
    circle, plain = graphs.told
    assert plain[8].tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    assert np.flatnonzero(circle[4, :, 2]).tolist() == [0, 4, 5, 9]  # F A C E, the nearest that it knows
    assert np.flatnonzero(circle[6, :, 2]).tolist() == [9]


def test_a_chart_that_covers_all_is_the_result() -> None:
    fixed = [ChordSpan(0.0, 1.7, "E7"), ChordSpan(1.7, 4.0, "Am")]
    assert composed(Hears([C] * 8), fixed) == [(0, 1.7, "E7"), (1.7, 4, "Am")]


def test_seeds_draw_other_chords_the_same_ones_again() -> None:
    drawn = {seed: composed(Hears([C] * 4 + [F] * 4), seed=seed, temperature=3.0) for seed in range(4)}
    likeliest = composed(Hears([C] * 4 + [F] * 4))
    assert drawn[0] == likeliest
    assert composed(Hears([C] * 4 + [F] * 4), seed=3) == likeliest
    assert drawn[1] != drawn[2]
    assert composed(Hears([C] * 4 + [F] * 4), seed=2, temperature=3.0) == drawn[2]


def test_the_same_melody_gets_the_same_noise() -> None:
    rng = np.random.default_rng(1)
    melody = np.zeros((64, 320), np.float32)
    verse = rng.random((12, 160), np.float32)
    melody[CHROMA] = np.concatenate([verse, verse], axis=1)
    edges_s = np.arange(0, 33) * (10 / 21.533203125)
    noise = melodic_noise(melody, edges_s, 5)
    assert noise.shape == (CHORD_STATES, 32)
    assert np.allclose(noise[:, 4:12], noise[:, 20:28], atol=1e-4)
    assert noise.std() == pytest.approx(1.0, abs=0.15)


def test_every_state_has_a_name_that_means_it() -> None:
    for state in range(NO_CHORD_STATE):
        chord = parse_chord(label_of(state, -1, Key(3, "minor")))
        assert chord is not None
        assert state_of(chord.quality, chord.root_pitch_class) == state


def test_other_qualities_count_as_the_nearest() -> None:
    nearest = {"9": "7", "m6": "m", "6": "", "7sus4": "sus4", "maj9": "maj7", "m9": "m7"}
    assert {quality: nearest_quality(quality) for quality in nearest} == nearest
    assert all(nearest_quality(quality) == quality for quality in CHORD_QUALITIES)
