"""The bigram model of chord changes, against a closed form and hand-made songs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from appliance.music.keys import Key
from train.evaluate.measures.chord_bigrams import CHORDS, PRIOR, ChordBigrams, sequence_of

C, F, G7 = (0, "maj", 0), (5, "maj", 5), (7, "7", 7)


def test_probabilities_are_the_formula() -> None:
    song = sequence_of([C, F, C, G7, C, F], Key(0, "major"))
    model = ChordBigrams([song])
    c, f = song[:2]
    assert model.changes == 5
    # Five changes: to F twice, to C twice, to G7 once; three begin with C, and two of them lead to F.
    to_f, to_c = (2 + 0.5) / (5 + 0.5 * CHORDS), (2 + 0.5) / (5 + 0.5 * CHORDS)
    expected = (2 + PRIOR * to_f / (1 - to_c)) / (3 + PRIOR)
    assert model.log_probability[c, f] == pytest.approx(math.log(expected))
    assert model.per_change([c, f, f]) == pytest.approx(math.log(expected))


def test_what_follows_a_chord_adds_up_to_one_and_is_another_chord() -> None:
    model = ChordBigrams([sequence_of([C, F, G7, C], Key(0, "major")), [1, 2, 1]])
    assert np.exp(model.log_probability).sum(axis=1) == pytest.approx(np.ones(CHORDS))
    assert np.isneginf(np.diag(model.log_probability)).all()


def test_keys_do_not_matter() -> None:
    moved = [(root + 3, quality, bass + 3) for root, quality, bass in (C, F, G7)]
    assert sequence_of([C, F, G7], Key(0, "major")) == sequence_of(moved, Key(3, "major"))
    assert sequence_of([C, F, G7], Key(9, "minor")) == sequence_of(moved, Key(0, "minor"))


def test_an_order_that_training_knows_is_likelier_than_a_shuffled_one() -> None:
    cadence = sequence_of([C, F, G7, C, (9, "min", 9), (2, "min", 2), G7, C], Key(0, "major"))
    model = ChordBigrams([cadence] * 50)
    assert model.per_change(cadence) - model.shuffled(cadence, 1) > 1.0
    assert model.shuffled(cadence, 1) == model.shuffled(cadence, 1)
    # Of two chords there is one change, whatever their order, so only the direction differs.
    assert math.isnan(model.per_change([cadence[0]])) and math.isnan(model.shuffled([cadence[0]], 0))
