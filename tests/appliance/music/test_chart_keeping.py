"""Notes corrected by a chart, compared with bars written by hand."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from appliance.music.chart_keeping import follow_chart
from appliance.music.chord_chart import Chart, ChordSpan
from appliance.music.chord_names import parse_chord
from appliance.music.score import LOWEST_PITCH, PITCHES, Note, Score

C_THEN_F: Chart = [ChordSpan(0.0, 2.0, "C"), ChordSpan(2.0, 4.0, "F")]


def played(notes: Iterable[tuple[float, float, int]], group: str = "keys") -> list[Note]:
    return [Note(start, end, pitch, 64, group) for start, end, pitch in notes]


def result(
    notes: list[Note], chart: Chart = C_THEN_F, duration_s: float = 4.0
) -> list[tuple[float, float, int]]:
    return [(n.start_s, n.end_s, n.pitch) for n in follow_chart(Score.of(notes, duration_s), chart).notes]


TRIADS = [(0, 2, 48), (0, 2, 60), (0, 2, 64), (0, 2, 67), (2, 4, 41), (2, 4, 60), (2, 4, 65), (2, 4, 69)]


def test_notes_that_fit_stay() -> None:
    assert result(played(TRIADS)) == TRIADS


def test_long_foreign_notes_move_to_the_nearest_chord_tone() -> None:
    wrong = [(0, 2, 48), (0, 2, 61), (0, 2, 64), (0, 2, 68), (2, 4, 41), (2, 4, 60), (2, 4, 66), (2, 4, 69)]
    assert result(played(wrong)) == TRIADS


def test_a_short_passing_note_stays_and_a_leap_does_not() -> None:
    line = [(1.0, 1.25, 72), (1.25, 1.5, 74), (1.5, 2.0, 76)]  # C, D, E
    assert set(line) <= set(result(played(TRIADS + line)))
    leap = [(1.0, 1.25, 72), (1.25, 1.5, 74), (1.5, 2.0, 79)]  # C, D, G
    assert (1.25, 1.5, 72) in result(played(TRIADS + leap))


def test_notes_end_before_a_chord_they_are_foreign_to() -> None:
    notes = [(0, 4, 48), (0, 4, 60), (0, 4, 64), (0, 4, 67), (2, 4, 41), (2, 4, 65), (2, 4, 69)]
    found = result(played(notes))
    assert (0, 2, 64) in found and (0, 2, 67) in found  # E and G are not in F
    assert (0, 4, 60) in found  # C is


def test_the_bass_takes_the_chords_bass_at_the_change() -> None:
    chart = [ChordSpan(0.0, 2.0, "C/E"), ChordSpan(2.0, 4.0, "F")]
    bass = played([(0, 1, 36), (1, 2, 43), (2, 3, 45), (3, 4, 41)], "bass")
    chords = played([n for n in TRIADS if n[2] >= 60])
    found = [n for n in follow_chart(Score.of(bass + chords, 4.0), chart).notes if n.group == "bass"]
    assert [n.pitch for n in found] == [40, 43, 41, 41]


def test_without_a_bass_group_the_lowest_note_takes_the_chords_bass() -> None:
    found = result(played([(0, 2, 52), *TRIADS[1:]]))
    assert min(p for start, _, p in found if start == 0) % 12 == 0


def test_a_missing_third_is_added_at_existing_onsets() -> None:
    fifths = [(0.0, 1.0, 48), (0.0, 1.0, 55), (1.0, 2.0, 48), (1.0, 2.0, 55)]
    added = set(result(played(fifths), C_THEN_F[:1], 2.0)) - {(float(a), float(b), p) for a, b, p in fifths}
    assert {p % 12 for _, _, p in added} == {4}
    assert all((start, end) in {(0.0, 1.0), (1.0, 2.0)} for start, end, _ in added)


def test_a_chord_without_notes_is_played_once() -> None:
    found = result(played(TRIADS[:4]))
    second = [(a, b, p) for a, b, p in found if a >= 2]
    assert {p % 12 for _, _, p in second} == {5, 9, 0}
    assert min(p for _, _, p in second) % 12 == 5
    assert all((a, b) == (2.0, 4.0) for a, b, _ in second)


def test_no_chord_is_silent_and_uncovered_time_stays_as_it_is() -> None:
    chart = [ChordSpan(0.0, 2.0, "C"), ChordSpan(2.0, 3.0, "N")]
    notes = played([*TRIADS[:4], (2.2, 2.8, 65), (3.2, 3.8, 66)])
    kick = [Note(2.5, 2.6, 36, 90, "drums")]
    after = [n for n in follow_chart(Score.of(notes + kick, 4.0), chart).notes if n.start_s >= 2.0]
    assert [(n.start_s, n.pitch) for n in after] == [(2.5, 36), (3.2, 66)]


@pytest.mark.parametrize("seed", range(8))
def test_any_music_follows_any_chart(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.choice(["C", "F#m7", "Bb/D", "Gsus4", "Edim", "Ab5", "D7", "N"], 8)
    chart = [ChordSpan(2.0 * k, 2.0 * k + 2.0, str(label)) for k, label in enumerate(labels)]
    starts = rng.uniform(0, 15.5, 120)
    notes = [
        Note(float(s), float(s + rng.uniform(0.05, 2.0)), int(rng.integers(30, 90)), 70, g)
        for s, g in zip(starts, rng.choice(["keys", "bass", "pad"], 120), strict=True)
    ]
    score = follow_chart(Score.of(notes, 16.0), chart)
    for span in chart:
        tones = chord.pitch_classes if (chord := parse_chord(span.label)) else frozenset()
        heard: dict[int, float] = {}
        for note in score.notes:
            overlap = min(note.end_s, span.end_s) - max(note.start_s, span.start_s)
            if overlap > 0.1:
                heard[note.pitch % 12] = heard.get(note.pitch % 12, 0.0) + overlap
        foreign = sum(seconds for pitch_class, seconds in heard.items() if pitch_class not in tones)
        assert foreign <= 0.1 * sum(heard.values())
        if chord is not None:
            assert heard.get(parse_chord(chord.root).bass_pitch_class, 0.0) > 0.5  # type: ignore[union-attr]
    # Notes of one pitch do not overlap within a group.
    for a in score.notes:
        same = [b for b in score.notes if (b.group, b.pitch) == (a.group, a.pitch) and b is not a]
        assert not any(a.start_s < b.start_s < a.end_s - 1e-9 for b in same)


@pytest.mark.parametrize("label", ["E", "Eb", "D", "G#", "Ab/C", "F#dim"])
def test_the_ends_of_the_compass_have_chord_tones_too(label: str) -> None:
    chord = parse_chord(label)
    assert chord is not None
    lowest, highest = LOWEST_PITCH, LOWEST_PITCH + PITCHES - 1
    found = result(played([(0, 2, lowest), (0, 2, highest)]), [ChordSpan(0.0, 4.0, label)])
    assert found and all(lowest <= pitch <= highest for _, _, pitch in found)
    assert {pitch % 12 for _, _, pitch in found} <= chord.pitch_classes
    assert min(pitch for _, _, pitch in found) % 12 == chord.bass_pitch_class


def test_an_empty_score_stays_empty() -> None:
    assert follow_chart(Score((), 4.0), C_THEN_F).notes == ()
