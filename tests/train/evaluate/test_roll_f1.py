"""How many notes a roll keeps, counted by hand and compared with mir_eval."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.grid import FRAME_RATE_HZ
from appliance.music.score import Note, Score
from train.evaluate.measures.roll_f1 import RollF1, roll_f1, roll_f1_by_group


def keys(start_s: float, end_s: float, pitch: int, group: str = "keys") -> Note:
    return Note(start_s, end_s, pitch, 80, group)


def test_roll_f1_of_a_score_with_itself_is_one() -> None:
    notes = [keys(0.1 * k, 0.1 * k + 0.3, 60 + k % 5, ("keys", "bass")[k % 2]) for k in range(40)]
    result = roll_f1(Score.of(notes, 5.0), Score.of(notes, 5.0))
    assert (result.onset.f1, result.onset_25ms.f1, result.sustain.f1) == (1.0, 1.0, 1.0)
    assert result.median_onset_error_ms == 0.0


def test_roll_f1_by_hand() -> None:
    frame_s = 1 / FRAME_RATE_HZ
    at = lambda frame: (frame + 0.2) * frame_s  # noqa: E731
    true = Score.of(
        [
            keys(at(10), at(14), 60),
            keys(at(20), at(24), 60),
            keys(at(30), at(34), 64),
            keys(at(40), at(44), 67, "bass"),
            Note(at(10), at(11), 36, 90, "drums"),
        ],
        3.0,
    )
    decoded = Score.of(
        [
            keys(at(10) + 0.010, at(14), 60),  # found, 10 ms late
            keys(at(21), at(25), 60),  # a frame late: found, but by 46 ms
            keys(at(32), at(34), 64),  # two frames late: not found
            keys(at(40), at(44), 67),  # the wrong group
            Note(at(10) + 0.020, at(11), 36, 90, "drums"),
        ],
        3.0,
    )
    result = roll_f1(true, decoded)
    assert result.onset.both == 3 and result.onset.f1 == pytest.approx(3 / 5)
    assert result.onset_25ms.both == 2
    assert result.median_onset_error_ms == pytest.approx(20.0)
    assert (result.sustain.true, result.sustain.decoded) == (16, 14)
    assert result.sustain.both == 4 + 3 + 2
    assert roll_f1_by_group(true, decoded)["bass"].onset.f1 == 0.0
    assert roll_f1_by_group(true, decoded)["drums"].onset.f1 == 1.0
    twice = RollF1.pooled([result, result])
    assert twice.onset.both == 6 and twice.onset.f1 == result.onset.f1


def test_roll_onsets_match_one_to_one() -> None:
    true = Score.of([keys(1.00, 1.02, 60), keys(1.03, 1.05, 60)], 2.0)
    once = roll_f1(true, Score.of([keys(1.015, 1.05, 60)], 2.0))
    assert once.onset_25ms.both == 1
    assert once.onset_25ms.f1 == pytest.approx(2 / 3)


def test_roll_f1_agrees_with_mir_eval() -> None:
    transcription = pytest.importorskip("mir_eval.transcription")
    rng = np.random.default_rng(3)
    notes = [
        keys(float(s), float(s) + 0.2, int(p))
        for s, p in zip(rng.uniform(0, 20, 200), rng.integers(50, 70, 200), strict=True)
    ]
    moved = [
        keys(n.start_s + float(rng.normal(0, 0.02)), n.end_s, n.pitch) for n in notes if rng.random() < 0.9
    ]
    ours = roll_f1(Score.of(notes, 21.0), Score.of(moved, 21.0)).onset_25ms.f1

    def arrays(notes: list[Note]) -> tuple[np.ndarray, np.ndarray]:
        hz = 440.0 * 2.0 ** ((np.array([n.pitch for n in notes]) - 69) / 12)
        return np.array([[n.start_s, max(n.end_s, n.start_s + 0.01)] for n in notes]), hz

    _, _, theirs, _ = transcription.precision_recall_f1_overlap(
        *arrays(notes), *arrays(moved), onset_tolerance=0.025, offset_ratio=None
    )
    assert ours == pytest.approx(theirs, abs=0.005)
