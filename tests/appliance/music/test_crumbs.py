"""Notes too short to be heard: joined, lengthened or dropped."""

from __future__ import annotations

import pytest

from appliance.music.crumbs import CRUMB_S, is_crumb, without_crumbs
from appliance.music.score import DRUM_GROUP, Note, Score


def played(*notes: tuple[float, float, int], group: str = "keys", duration_s: float = 4.0) -> Score:
    return Score.of((Note(a, b, pitch, 80, group) for a, b, pitch in notes), duration_s)


def spans(score: Score) -> list[tuple[float, float, int]]:
    return [(round(n.start_s, 3), round(n.end_s, 3), n.pitch) for n in score.notes]


def test_a_note_broken_in_two_becomes_one() -> None:
    assert spans(without_crumbs(played((1.0, 1.05, 60), (1.06, 2.0, 60)))) == [(1.0, 2.0, 60)]
    assert spans(without_crumbs(played((1.0, 2.0, 60), (2.01, 2.05, 60)))) == [(1.0, 2.05, 60)]


def test_a_tone_that_a_chord_lets_go_at_once_stays_with_the_chord() -> None:
    chord = played((1.0, 1.5, 60), (1.01, 1.8, 64), (1.0, 1.03, 67))
    assert spans(without_crumbs(chord)) == [(1.0, 1.5, 60), (1.0, 1.5, 67), (1.01, 1.8, 64)]


def test_a_lonely_crumb_becomes_a_short_note() -> None:
    assert spans(without_crumbs(played((1.0, 1.03, 60), (2.0, 3.0, 64)))) == [(1.0, 1.07, 60), (2.0, 3.0, 64)]


def test_no_note_rings_over_the_next_of_its_pitch() -> None:
    repeated = played((1.0, 1.03, 60), (1.0, 2.0, 64), (1.3, 1.6, 60))
    assert spans(without_crumbs(repeated)) == [(1.0, 1.3, 60), (1.0, 2.0, 64), (1.3, 1.6, 60)]
    tight = played((1.0, 1.01, 60), (1.05, 1.6, 60))
    assert spans(without_crumbs(tight)) == [(1.05, 1.6, 60)]


def test_without_company_it_does_not_ring_into_the_next_chord() -> None:
    chord = played((1.0, 1.5, 60), (1.0, 1.03, 67))
    assert spans(without_crumbs(chord, company=False)) == [(1.0, 1.07, 67), (1.0, 1.5, 60)]


def test_other_groups_are_no_company_and_drums_stay() -> None:
    bass, keys = Note(1.0, 1.02, 40, 80, "bass"), Note(1.0, 2.0, 60, 80, "keys")
    drum = Note(1.0, 1.01, 36, 90, DRUM_GROUP)
    kept = without_crumbs(Score.of([bass, keys, drum], 4.0)).notes
    assert drum in kept and keys in kept
    assert [n.end_s for n in kept if n.group == "bass"] == [pytest.approx(1.0 + CRUMB_S)]
    assert not any(map(is_crumb, kept))


def test_a_crumb_at_the_very_end_is_dropped() -> None:
    assert spans(without_crumbs(played((1.0, 2.0, 60), (3.97, 4.0, 64)))) == [(1.0, 2.0, 60)]
