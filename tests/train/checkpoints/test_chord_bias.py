"""The likeliest chords become as varied as written ones, which are drawn from the scores themselves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from appliance.networks.chord_rows import (
    CHORD_QUALITIES,
    CHORD_STATES,
    CIRCLE_ROWS,
    NO_CHORD_STATE,
    PLAIN_ROWS,
    ChordScores,
)
from train.checkpoints.chord_bias import (
    BIAS_NAME,
    WIDEST,
    Scored,
    agreement,
    balanced,
    biased,
    shares,
)
from train.networks.chords import ChordConfig, ChordNetwork

SLOTS = 200
SEVENTH = CHORD_QUALITIES.index("7")


def songs(count: int = 12) -> list[Scored]:
    """Songs on one root: of two chords that last two beats, a third are sevenths, and the network prefers
    the triad a little however it was written."""
    rng = np.random.default_rng(1)
    made = []
    for _ in range(count):
        sevenths = np.repeat(rng.uniform(size=SLOTS // 2) < 1 / 3, 2)
        written = np.where(sevenths, 12 * SEVENTH, 0)
        chords = np.full((CHORD_STATES, SLOTS), -9.0, np.float32)
        seen = np.repeat(rng.normal(0.0, 1.0, SLOTS // 2), 2) + sevenths  # what the melody tells
        chords[0], chords[12 * SEVENTH] = 0.0, (seen - 1.4).astype(np.float32)
        scores = ChordScores(
            chords,
            np.full(SLOTS, -1.0, np.float32),
            np.zeros((12, 12, SLOTS), np.float32),
            np.zeros((CHORD_STATES, CHORD_STATES), np.float32),
        )
        made.append(Scored(scores, written))
    return made


def test_the_likeliest_chords_get_the_shares_of_the_written_ones() -> None:
    given = songs()
    none = np.zeros(len(CHORD_QUALITIES), np.float32)
    wanted = shares([song.written for song in given])[SEVENTH]
    before = shares([song.likeliest(0.0, none) for song in given])[SEVENTH]
    bias = balanced(given)
    found = [song.likeliest(bias.change, np.array(bias.qualities, np.float32)) for song in given]
    assert before < wanted - 0.02
    assert shares(found)[SEVENTH] == pytest.approx(wanted, abs=0.015)
    assert max(map(abs, bias.qualities)) <= WIDEST
    assert abs(bias.qualities[1]) < 0.01  # nobody wrote minor chords, and none are found


def test_agreement_is_that_of_root_and_third() -> None:
    song = songs(1)[0]
    c, c7, am, dm = (np.full(SLOTS, state) for state in (0, 12 * SEVENTH, 12 + 9, 12 + 2))
    assert [agreement([found], [replace(song, written=c)]) for found in (c, c7, am)] == [1.0, 1.0, 0.0]
    am7 = am + 12 * (CHORD_QUALITIES.index("m7") - 1)
    half = np.where(np.arange(SLOTS) % 2, am7, dm)
    assert agreement([half], [replace(song, written=am)]) == 0.5


def test_without_songs_there_is_no_bias() -> None:
    assert balanced([]).change == 0.0 and not any(balanced([]).qualities)


def test_shares_count_each_chord_once_and_no_chord_never() -> None:
    states = np.array([0, 0, 5, NO_CHORD_STATE, 12 * SEVENTH, 12 * SEVENTH, 0])
    expected = np.zeros(len(CHORD_QUALITIES))
    expected[0], expected[SEVENTH] = 0.75, 0.25
    assert shares([states]) == pytest.approx(expected)
    assert not shares([]).any()


def test_the_bias_becomes_part_of_the_weights(tmp_path: Path) -> None:
    network = ChordNetwork(ChordConfig(width=8, dilations=(1,))).eval()
    weights = dict(network.state_dict())
    assert biased(weights, tmp_path) is weights
    added = dict(zip(CHORD_QUALITIES, np.linspace(-1, 1, len(CHORD_QUALITIES)).tolist(), strict=True))
    (tmp_path / BIAS_NAME).write_text(json.dumps({"change": 0.5, "qualities": added}))
    circle, plain = torch.randn(1, CIRCLE_ROWS, 12, 5), torch.randn(1, PLAIN_ROWS, 5)
    with torch.no_grad():
        before, change, _ = network(circle, plain)
        network.load_state_dict(biased(weights, tmp_path))
        after, more, _ = network(circle, plain)
    by_state = np.append(np.repeat(list(added.values()), 12), 0.0)
    np.testing.assert_allclose((after - before)[0].numpy(), np.tile(by_state[:, None], 5), atol=1e-5)
    np.testing.assert_allclose((more - change).numpy(), 0.5, atol=1e-6)
