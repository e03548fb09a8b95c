"""The bass of a jazz take is made to walk."""

from __future__ import annotations

from itertools import pairwise

from appliance.composing.walking_bass import walk_bass
from appliance.music.chord_chart import Chart, ChordSpan
from appliance.music.keys import Key
from appliance.music.score import BeatGrid, Note, Score

BEAT_S = 0.5
GRID = BeatGrid(tuple(BEAT_S * k for k in range(33)), tuple(range(0, 33, 4)), 1.0, 4)
CHART: Chart = [
    ChordSpan(2.0 * k, 2.0 * k + 2.0, name)
    for k, name in enumerate(("C", "Am", "Dm", "G7", "C", "F", "G7", "C"))
]
KEY = Key(0, "major")
C, D, E, G, A = 0, 2, 4, 7, 9


def bass(*beats: tuple[float, int]) -> Score:
    notes = [Note(BEAT_S * b, BEAT_S * b + 0.9, pitch, 70, "bass") for b, pitch in beats]
    return Score.of([*notes, Note(0.0, 16.0, 64, 60, "keys")], 17.0)


def line(score: Score) -> dict[float, int]:
    return {round(n.start_s / BEAT_S, 2): n.pitch for n in score.only("bass").notes}


def test_every_beat_of_a_played_bar_gets_a_note() -> None:
    walked = line(walk_bass(bass((0, 36), (4, 45), (8, 38)), GRID, CHART, KEY, obey=False))
    assert sorted(walked) == [float(k) for k in range(12)]
    assert (walked[0.0] % 12, walked[4.0] % 12, walked[8.0] % 12) == (C, A, D)
    assert walked[2.0] % 12 in (C, E, G)


def test_good_notes_stay_and_foreign_ones_on_strong_beats_go() -> None:
    before = bass((0, 36), (1, 38), (2, 40), (3, 43), (4, 46), (6, 40))
    walked = line(walk_bass(before, GRID, CHART, KEY, obey=False))
    assert [walked[float(k)] for k in range(4)] == [36, 38, 40, 43]
    assert walked[4.0] % 12 in (A, C, E)
    assert walked[6.0] == 40


def test_a_given_chart_is_obeyed_on_every_beat() -> None:
    tones = {"C": {C, E, G}, "Am": {A, C, E}, "Dm": {D, 5, A}, "G7": {G, 11, D, 5}}
    walked = line(walk_bass(bass((0, 40), (4, 36), (8, 41), (12, 43)), GRID, CHART, KEY, obey=True))
    for beat, pitch in walked.items():
        assert pitch % 12 in tones[CHART[int(beat) // 4].label]
    assert [walked[float(k)] % 12 for k in (0, 4, 8, 12)] == [C, A, D, G]


def test_silent_bars_and_notes_between_beats() -> None:
    before = bass((0, 36), (1.5, 40), (2.5, 42), (8, 38))
    walked = line(walk_bass(before, GRID, CHART, KEY, obey=False))
    assert walked[1.5] == 40  # a chord tone
    assert 2.5 not in walked  # F sharp over C
    assert not any(4 <= beat < 8 for beat in walked)  # the bass rests in this bar


def test_one_note_at_a_time_and_other_groups_untouched() -> None:
    before = bass(*((0.5 * k, 36) for k in range(16)))
    after = walk_bass(before, GRID, CHART, KEY, obey=False)
    notes = after.only("bass").notes
    assert all(a.end_s <= b.start_s for a, b in pairwise(notes))
    assert after.only("keys") == before.only("keys")


def test_no_bass_no_walk() -> None:
    alone = Score.of([Note(0.0, 1.0, 64, 60, "keys")], 17.0)
    assert walk_bass(alone, GRID, CHART, KEY, obey=False) is alone
