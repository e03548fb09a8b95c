"""The Vendi score against closed forms, and the takes of a request against what must hold for them."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.music.score import Note, Score
from appliance.novelty.diversity import diversity, vendi_score


def part(pitches: tuple[int, ...], step_s: float, group: str = "keys") -> Score:
    """Eight seconds of the notes, one after another."""
    count = int(8.0 / step_s)
    notes = [Note(step_s * k, step_s * (k + 0.9), pitches[k % len(pitches)], 80, group) for k in range(count)]
    return Score.of(notes, 8.0)


@pytest.mark.parametrize("alike", [0.0, 0.2, 0.7, 1.0])
def test_two_things_by_the_closed_form(alike: float) -> None:
    shares = [s for s in ((1 + alike) / 2, (1 - alike) / 2) if s > 0]
    closed = np.exp(-sum(s * np.log(s) for s in shares))
    assert vendi_score(np.array([[1.0, alike], [alike, 1.0]])) == pytest.approx(closed)


def test_copies_count_once() -> None:
    similar = np.kron(np.eye(3), np.ones((4, 4)))  # three kinds, four copies of each
    assert vendi_score(similar) == pytest.approx(3.0)


def test_equal_takes_are_one() -> None:
    take = part((60, 64, 67), 0.25)
    assert diversity([take, take, take]) == pytest.approx(1.0)
    silence = Score.of([], 8.0)
    assert diversity([silence, silence]) == pytest.approx(1.0)


def test_takes_that_share_nothing_are_as_many_as_they_are() -> None:
    low, high = part((36, 40), 1.0, "bass"), part((85, 87), 0.35, "pluck")
    shifted = Score.of((Note(n.start_s + 0.2, n.end_s + 0.1, n.pitch, 80, n.group) for n in high.notes), 8.5)
    high = Score(shifted.notes, 8.0)
    assert diversity([low, high]) > 1.98


def test_each_difference_counts() -> None:
    take = part((60, 64, 67), 0.25)
    harmony, rhythm = part((61, 65, 68), 0.25), part((60, 64, 67), 0.5)
    texture = part((72, 76, 79), 0.25)
    for other in (harmony, rhythm, texture):
        assert 1.1 < diversity([take, other]) < 2.0
    assert diversity([take, harmony, rhythm, texture]) > diversity([take, harmony, rhythm, rhythm])


def test_the_order_of_takes_does_not_matter() -> None:
    takes = [part((60, 64, 67), 0.25), part((61, 65), 0.5), part((40, 43), 1.0, "bass")]
    assert diversity(takes) == pytest.approx(diversity(takes[::-1]))
