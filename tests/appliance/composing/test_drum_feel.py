"""Drums as people play them: near the grid, uneven, and always the same for a seed."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from statistics import fmean, pstdev

import numpy as np
import pytest

from appliance.composing.drum_feel import FEEL, LATEST_S, with_feel
from appliance.music.score import DRUM_GROUP, BeatGrid, Note, Score

BEAT_S = 0.6
GRID = BeatGrid(tuple(BEAT_S * k for k in range(401)), tuple(range(0, 401, 4)), 1.0, 4)


def drumming(*places: tuple[float, int]) -> Score:
    """Strokes as (beat, drum), repeated on every beat."""
    notes = [
        Note(BEAT_S * (k + beat), BEAT_S * (k + beat) + 0.1, drum, 80, DRUM_GROUP)
        for k in range(400)
        for beat, drum in places
    ]
    return Score.of(notes, 240.0)


def late_s(score: Score, places: tuple[float, int]) -> list[float]:
    beat, drum = places
    found = [n.start_s / BEAT_S - beat for n in score.notes if n.pitch == drum]
    return [BEAT_S * (place - round(place)) for place in found]


def test_strokes_move_a_little_and_differ_in_loudness() -> None:
    played = with_feel(drumming((0.0, 36), (0.5, 42)), GRID, "pop", seed=1)
    for place in ((0.0, 36), (0.5, 42)):
        late = late_s(played, place)
        assert len(late) == 400
        assert 0.006 < pstdev(late) < 0.02 and max(map(abs, late)) <= LATEST_S + 1e-9
    assert 2 < pstdev(n.velocity for n in played.notes) < 8


def test_sixteenths_of_the_kick_come_late_as_in_the_recordings() -> None:
    played = with_feel(drumming((0.75, 36)), GRID, "funk", seed=1)
    expected = FEEL[4, 3, 36].late / 100 * BEAT_S
    assert fmean(late_s(played, (0.75, 36))) == pytest.approx(expected, abs=0.003)


def test_the_table_is_what_the_grooves_give(root: Path) -> None:
    contents = json.loads((root / "train" / "arrange" / "drummers.json").read_text())
    found: dict[tuple[int, int, int], list[tuple[float, float, float]]] = defaultdict(list)
    for groove in (g for grooves in contents["grooves"].values() for g in grooves):
        steps = groove["per_beat"]
        for k, (step, drum) in enumerate(groove["strokes"]):
            late, loud = zip(*(bar[k] for bar in groove["played"]), strict=True)
            found[steps, step % steps, drum].append((fmean(late), pstdev(late), pstdev(loud)))
    for kind, feel in FEEL.items():
        means = np.mean(found[kind], axis=0)
        assert (feel.late, feel.spread, feel.velocity) == pytest.approx(means, abs=0.06), kind


def test_machines_other_groups_and_strokes_off_the_grid_stay() -> None:
    exact = drumming((0.0, 36), (0.5, 42))
    assert with_feel(exact, GRID, "synth", seed=1) is exact
    keys = Note(0.0, 1.0, 60, 80, "keys")
    assert keys in with_feel(Score.of([*exact.notes, keys], 240.0), GRID, "pop", seed=1).notes
    loose = drumming((0.42, 38))
    assert with_feel(loose, GRID, "pop", seed=1) == loose


def test_the_seed_decides_and_a_bar_does_not_depend_on_others() -> None:
    score = drumming((0.0, 36), (0.5, 42))
    played = with_feel(score, GRID, "pop", seed=1)
    assert played == with_feel(score, GRID, "pop", seed=1) != with_feel(score, GRID, "pop", seed=2)
    fewer = Score.of([n for n in score.notes if not 24.0 <= n.start_s < 48.0], 240.0)
    again = with_feel(fewer, GRID, "pop", seed=1)
    assert again.notes == tuple(n for n in played.notes if not 23.97 <= n.start_s < 47.97)
