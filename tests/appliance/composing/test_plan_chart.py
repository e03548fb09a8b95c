"""Chords, keys and beats of constructed music with known answers."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from appliance.composing.beat_tracker import with_bars
from appliance.composing.key_request import keep_in_key, key_of_score, plan_in_key
from appliance.composing.plan_chart import PLAN_RATE_HZ, plan_from_chart
from appliance.grid import FRAME_RATE_HZ
from appliance.music.beat_grid import TRUSTED, phases, snap, trusted
from appliance.music.chord_chart import ChordSpan
from appliance.music.keys import Key
from appliance.music.score import BeatGrid, Note, Score
from train.evaluate.control.chords import as_heard
from train.evaluate.control.confidence import beats_right
from train.evaluate.control.key import requested
from train.evaluate.control.key_profile import heard_key, key_of_chroma, relation
from train.evaluate.control.styles import leave_one_song_out, sound_features
from train.evaluate.control.tempo import chance_s, deviations_s, drift_s, steady_grid

GRID = BeatGrid(tuple(0.5 * k for k in range(400)), tuple(range(0, 400, 4)), 1.0, 4)
CADENCE = {
    "C major": ("C", "F", "G", "C"),
    "A minor": ("Am", "Dm", "E", "Am"),
    "G major": ("G", "C", "D", "G"),
}


def cadence(key: str) -> list[ChordSpan]:
    return [ChordSpan(2.0 * k, 2.0 * k + 2.0, label) for k, label in enumerate(CADENCE[key] * 4)]


def as_score(chart: list[ChordSpan]) -> Score:
    plan = plan_from_chart(chart, int(32 * PLAN_RATE_HZ))
    notes = []
    for span in chart:
        middle = plan[:, int((span.start_s + 1.0) * PLAN_RATE_HZ)]
        notes += [Note(span.start_s, span.end_s, 60 + p, 64, "keys") for p in np.flatnonzero(middle[:12])]
        notes += [Note(span.start_s, span.end_s, 36 + p, 64, "bass") for p in np.flatnonzero(middle[12:])]
    return Score.of(notes, 32.0)


def test_deviation_chance_and_drift_are_closed_forms() -> None:
    on_points = [0.5 * k + 0.5 * p for k in range(300) for p in (0.0, 0.25, 1 / 3)]
    assert np.abs(deviations_s(on_points, GRID)).max() < 1e-9
    late = [t + 0.01 for t in on_points]
    np.testing.assert_allclose(deviations_s(late, GRID), 0.01)
    drifting = [t * (1 + 0.02 / 180.0) for t in on_points]
    assert drift_s(drifting, GRID) == pytest.approx(0.02, rel=1e-3)
    # The widest gap of the points is a quarter of a beat, the narrowest a twelfth.
    assert 0.5 / 48 < chance_s(GRID) < 0.5 / 16
    assert np.allclose(np.diff(steady_grid(120.0, 7.3, 20.0).beats_s), 0.5)


@pytest.mark.parametrize("name", CADENCE)
def test_cadences_have_their_keys_by_both_estimates(name: str) -> None:
    score = as_score(cadence(name))
    assert heard_key(score.notes) == Key.parse(name)
    assert key_of_score(score)[0] == Key.parse(name)


def test_relations_of_keys() -> None:
    c, a = Key.parse("C"), Key.parse("Am")
    assert [relation(k, c) for k in (c, a, Key.parse("G"), Key.parse("Cm"), Key.parse("D"), None)] == [
        "same", "relative", "fifth", "parallel", "other", "none"]  # fmt: skip
    assert requested(c, "relative") == a and requested(a, "relative") == c
    assert requested(c, "dominant") == Key.parse("G") and requested(a, "subdominant") == Key.parse("Dm")
    assert key_of_chroma(np.ones(12)) is None


@pytest.mark.slow
@pytest.mark.parametrize("wanted", ["C major", "A minor", "G major", "F major", "D minor"])
def test_a_requested_key_wins_over_another_plan(wanted: str) -> None:
    key = Key.parse(wanted)
    plan = 0.7 * plan_from_chart(cadence("C major"), int(32 * PLAN_RATE_HZ))
    moved, chart, _ = plan_in_key(plan, key, Key.parse("C"), GRID, 32.0)
    found = plan_from_chart(chart, plan.shape[1])
    assert key_of_chroma(found[:12].sum(1) + found[12:].sum(1)) == key
    assert moved.shape == plan.shape and moved.max() <= 1.0
    # Notes of another key are moved; notes of the requested key stay.
    assert key_of_score(keep_in_key(as_score(cadence("C major")), key, chart))[0] == key
    mine = as_score(cadence("C major"))
    assert keep_in_key(mine, Key.parse("C"), chart) is mine


def test_a_key_that_barely_leads_is_made_clearer() -> None:
    """A cadence that both profiles hear in A minor and an independent judge in C major."""
    labels = ("Am", "Am", "E", "C", "G") * 3
    unclear = as_score([ChordSpan(2.0 * k, 2.0 * k + 2.0, label) for k, label in enumerate(labels)])
    key = Key.parse("Am")
    assert key_of_score(unclear)[0] == key and heard_key(unclear.notes) == Key.parse("C")
    assert heard_key(keep_in_key(unclear, key, cadence("A minor")).notes) == key


def test_beats_without_numbers_get_the_bars_that_are_heard() -> None:
    frames = np.arange(int(30 * FRAME_RATE_HZ))
    downbeat = np.zeros(len(frames), np.float32)
    downbeat[[int((0.5 + 1.5 * k) * FRAME_RATE_HZ) for k in range(19)]] = 0.9
    grid = BeatGrid(tuple(0.5 * k for k in range(60)), (), 1.0, 4)
    found = with_bars(grid, downbeat)
    assert (found.meter, found.downbeats[:3], found.beats_s) == (3, (1, 4, 7), grid.beats_s)
    assert with_bars(grid, np.zeros_like(downbeat)) == grid


def test_an_unsure_grid_is_no_grid() -> None:
    unsure = replace(GRID, confidence=TRUSTED - 0.01)
    score = Score.of([Note(0.52, 0.9, 60, 64, "keys"), Note(1.03, 1.4, 60, 64, "keys")], 10.0)
    assert not trusted(unsure)
    assert not phases(unsure, 100).any()
    assert snap(score, unsure) == score and snap(score, GRID) != score


def test_beats_are_right_at_the_singers_level_and_wrong_off_it() -> None:
    truth = np.arange(0.3, 60.0, 0.6)
    assert beats_right(BeatGrid(tuple(truth + 0.03), (), 0.9), truth)
    assert beats_right(BeatGrid(tuple(truth[::2]), (), 0.9), truth)  # half tempo: two thirds agree
    assert not beats_right(BeatGrid(tuple(truth + 0.3), (), 0.9), truth)
    assert not beats_right(BeatGrid(), truth)


def test_charts_are_spelled_for_the_judge() -> None:
    labels = ["C", "Am7", "Bdim", "Gsus4", "F#m7b5", "Ebmaj7", "N", "D7/F#"]
    chart = [ChordSpan(float(k), k + 1.0, label) for k, label in enumerate(labels)]
    assert [c.label for c in as_heard(chart)] == [
        "C:maj", "A:min", "B:min", "G:sus4", "F#:min", "Eb:maj", "N", "D:maj"]  # fmt: skip


def test_sounds_that_differ_are_told_apart_and_equal_ones_are_not() -> None:
    rng = np.random.default_rng(3)
    apart = rng.normal(size=(6, 8, 4)) * 0.1 + np.arange(8)[:, None]
    assert leave_one_song_out(apart)[0] == 1.0
    assert leave_one_song_out(rng.normal(size=(40, 8, 4)))[0] < 0.25
    t = np.arange(44_100) / 44_100
    low, high = (np.sin(2 * np.pi * hz * t)[:, None].repeat(2, 1) for hz in (220.0, 880.0))
    centroids = [sound_features(sound)[0] for sound in (low, high)]
    assert [round(2**c, -1) for c in centroids] == [220, 880]
    assert all(a < b for a, b in pairwise(centroids))
