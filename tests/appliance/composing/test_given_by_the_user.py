"""Given beats, chords and keys, through listening and composing.

The fake pack's networks always play C major in the model's key, so the appliance alone follows the request.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.vocals import sung

from appliance.composing.chosen_harmony import redraw
from appliance.composing.composer import compose, listen, padded
from appliance.composing.key_request import key_of_score
from appliance.composing.plan_chart import plan_from_chart
from appliance.composing.takes import compose_takes, draw_take
from appliance.composing.wishes import Wishes
from appliance.music.beat_grid import TRUSTED, trusted
from appliance.music.chord_chart import ChordSpan, chart_text
from appliance.music.chord_names import parse_chord
from appliance.music.keys import Key
from appliance.music.score import DRUM_GROUP, Score
from appliance.rendering.engine import Engine
from appliance.vocal.features import features_of
from appliance.vocal.tracker import track_pitch

SECONDS = 12.0


@pytest.fixture(scope="module")
def engine(fake_pack: Path) -> Engine:
    return Engine(fake_pack)


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    sound = sung(SECONDS)
    return padded(features_of(track_pitch([sound], len(sound))))


def composed(engine: Engine, features: np.ndarray, wishes: Wishes) -> Score:
    reading = listen(engine.graphs, features, SECONDS, wishes)
    return compose(engine.graphs, engine.pack, reading, wishes.style, 0)


@pytest.mark.slow
def test_given_beats_are_the_grid_and_onsets_lie_on_it(engine: Engine, features: np.ndarray) -> None:
    # The band plays every 24 frames (1.115 s); the given beats are 25 ms later and twice as frequent.
    period = 24 * 2048 / 44_100 / 2
    text = "".join(f"{0.025 + period * k:.4f}\t{k % 2 + 1}\n" for k in range(20))
    wishes = Wishes(beats=text)
    reading = listen(engine.graphs, features, SECONDS, wishes)
    assert (reading.grid.confidence, reading.grid.meter) == (1.0, 2)
    assert reading.grid.downbeats[:2] == (0, 2)
    onsets = {n.start_s for n in composed(engine, features, wishes).notes}
    off = [min(abs(t - beat) for beat in reading.grid.beats_s) for t in onsets]
    assert max(off) < 1e-3


def test_a_given_tempo_is_kept_however_unsure_the_phase(engine: Engine, features: np.ndarray) -> None:
    for bpm in (61.0, 93.0, 170.0):
        grid = listen(engine.graphs, features, SECONDS, Wishes(bpm=bpm)).grid
        assert trusted(grid) and grid.confidence >= TRUSTED
        np.testing.assert_allclose(np.diff(grid.beats_s), 60 / bpm)


def test_half_and_double_time_are_trusted(engine: Engine, features: np.ndarray) -> None:
    heard = listen(engine.graphs, features, SECONDS, Wishes()).grid
    half = listen(engine.graphs, features, SECONDS, Wishes(half_time=True)).grid
    double = listen(engine.graphs, features, SECONDS, Wishes(double_time=True)).grid
    assert (half.bpm, double.bpm) == pytest.approx((heard.bpm / 2, heard.bpm * 2), rel=0.01)
    assert trusted(half) and trusted(double)


def test_a_given_chart_is_what_is_played(engine: Engine, features: np.ndarray) -> None:
    chart = [ChordSpan(0.0, 5.0, "F#m"), ChordSpan(5.0, 9.0, "B7/D#"), ChordSpan(9.0, SECONDS, "E")]
    wishes = Wishes(chords=chart_text(chart), style="jazz")
    score = composed(engine, features, wishes)
    assert DRUM_GROUP in score.groups()
    for span in chart:
        chord = parse_chord(span.label)
        assert chord is not None
        inside = [
            n
            for n in score.notes
            if n.group != DRUM_GROUP and span.start_s + 0.1 < n.end_s and n.start_s < span.end_s - 0.1
        ]
        assert {n.pitch % 12 for n in inside} <= chord.pitch_classes
        low = [n for n in inside if n.group == "bass"]
        assert low and {n.pitch % 12 for n in low} <= {chord.bass_pitch_class, *chord.pitch_classes}
        assert low[0].pitch % 12 == chord.bass_pitch_class


def test_degrees_are_played_in_the_key_that_is_given_or_heard(engine: Engine, features: np.ndarray) -> None:
    text = "0 6 6m7\n6 12 5/7\n"
    heard = listen(engine.graphs, features, SECONDS, Wishes(chords=text))
    assert [span.label for span in heard.chart] == ["Am7", "G/B"]  # the fake pack hears C major
    assert heard.remarks == (
        "The degrees in the chart are counted in C major (heard: give the key if it is another).",
    )
    given = listen(engine.graphs, features, SECONDS, Wishes(chords=text, key="Eb"))
    assert [span.label for span in given.chart] == ["Cm7", "Bb/D"]


@pytest.mark.parametrize("name", ["C major", "F# minor", "Eb major"])
def test_a_given_key_is_the_key_of_the_result(engine: Engine, features: np.ndarray, name: str) -> None:
    assert key_of_score(composed(engine, features, Wishes(key=name, style="jazz")))[0] == Key.parse(name)


@pytest.mark.parametrize(
    ("name", "style"), [("A minor", "piano"), ("Db major", "piano"), ("B minor", "jazz")]
)
def test_colour_leaves_the_given_key(engine: Engine, features: np.ndarray, name: str, style: str) -> None:
    left_out = "Not turned is colour: the band would no longer be heard in the given key."
    for asked in ({"colour": 2.0}, {"colour": 2.0, "density": 1.0}):
        wishes = Wishes.model_validate({"key": name, "style": style, **asked})
        reading = listen(engine.graphs, features, SECONDS, wishes)
        take = draw_take(engine.graphs, engine.pack, reading, wishes, 0)
        assert key_of_score(take.score)[0] == Key.parse(name)
        assert take.dials is not None and take.dials.asked == asked
        if "density" in asked:
            assert take.dials.measured["density"] > 0.5
        else:
            assert take.reading.remarks == (left_out,)


def test_colour_that_fits_the_given_key_is_played(engine: Engine, features: np.ndarray) -> None:
    wishes = Wishes(key="E minor", style="piano", colour=2.0)
    reading = listen(engine.graphs, features, SECONDS, wishes)
    take = draw_take(engine.graphs, engine.pack, reading, wishes, 0)
    assert key_of_score(take.score)[0] == Key.parse("E minor")
    assert take.reading.remarks == () and take.reading.chart != reading.chart
    assert take.dials is not None and take.dials.measured["colour"] > 1.0


def test_variety_changes_the_harmony_of_other_seeds_and_never_what_was_given(
    engine: Engine, features: np.ndarray
) -> None:
    reading = listen(engine.graphs, features, SECONDS, Wishes())
    assert redraw(engine.graphs, reading, 0, 1.0) is reading
    assert redraw(engine.graphs, reading, 3, 0.0) is reading
    drawn = redraw(engine.graphs, reading, 3, 1.0)
    assert np.abs(drawn.plan - reading.plan).mean() > 0.01
    assert (drawn.grid, drawn.key) == (reading.grid, reading.key)
    given = listen(engine.graphs, features, SECONDS, Wishes(key="G"))
    assert redraw(engine.graphs, given, 3, 1.0) is given


def test_takes_bring_the_harmony_they_play(engine: Engine, features: np.ndarray) -> None:
    reading = listen(engine.graphs, features, SECONDS, Wishes())
    takes = compose_takes(engine.graphs, engine.pack, reading, Wishes(takes=2, variety=0.8))
    by_seed = {take.seed: take.reading for take in takes}
    assert by_seed.pop(0) is reading
    ((seed, other),) = by_seed.items()
    assert np.array_equal(other.plan, redraw(engine.graphs, reading, seed, 0.8).plan)


def test_composed_chords_close_the_song_and_their_sevenths_sound(
    engine: Engine, features: np.ndarray
) -> None:
    """The band itself plays C major from beginning to end."""
    reading = listen(engine.graphs, features, SECONDS, Wishes())
    chart = [ChordSpan(0.0, 6.0, "G7"), ChordSpan(6.0, 9.0, "Cmaj7"), ChordSpan(9.0, SECONDS, "Am")]
    own = replace(reading, chart=chart, plan=plan_from_chart(chart, reading.plan.shape[1]), composed=True)
    before = compose(engine.graphs, engine.pack, replace(own, composed=False), "piano", 0)
    after = compose(engine.graphs, engine.pack, own, "piano", 0)

    def share(score: Score, pitch_class: int, span: ChordSpan) -> float:
        """Share of ``span`` in which ``pitch_class`` sounds."""
        frames = np.zeros(int(100 * SECONDS), np.bool_)
        for note in score.notes:
            if note.pitch % 12 == pitch_class:
                frames[round(100 * note.start_s) : round(100 * note.end_s)] = True
        return float(frames[round(100 * span.start_s) : round(100 * span.end_s)].mean())

    for span, seventh in zip(chart[:2], (5, 11), strict=True):
        assert share(before, seventh, span) < 0.2 and share(after, seventh, span) > 0.6
    closing = {n.pitch % 12 for n in after.notes if n.end_s > 9.1}
    assert 9 in closing and closing <= {9, 0, 4}
    starts = min(n.start_s for n in after.notes if n.start_s > 8.9)
    assert min(n.pitch for n in after.notes if n.start_s == starts) % 12 == 9
