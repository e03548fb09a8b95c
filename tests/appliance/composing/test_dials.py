"""The dials of a take: asked, drawn by its seed, measured, and written into the receipt."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.fake_pack import write_fake_manifest
from support.plain_song import BARS, DURATION_S, GRID, reading, score

from appliance.composing.dials import DRAWN_SD, check_dials, drawn_dials, turn_dials
from appliance.composing.sections import check_sections
from appliance.composing.wishes import Wishes
from appliance.errors import UsageError
from appliance.music.chart_keeping import follow_chart
from appliance.music.dials import DIALS
from appliance.music.rhythm_attributes import RHYTHM_DIALS, rhythm_attributes
from appliance.music.rhythm_plan import BarRhythm
from appliance.music.score import BeatGrid, Note, Score
from appliance.networks.condition_rows import PLAN_GIVEN
from appliance.packs.dial_table import DIALS_NAME
from appliance.packs.pack import Pack, load_pack

SPREADS = {
    "density": (0.0, 0.5),
    "register": (62.0, 3.0),
    "syncopation": (0.1, 0.3),
    "articulation": (-0.5, 0.4),
    "voices": (3.0, 0.6),
    "doubling": (0.4, 0.2),
    "colour": (0.3, 0.2),
}


def wishes(**asked: Any) -> Wishes:
    return Wishes.model_validate(asked)


@pytest.fixture(scope="module")
def pack(fake_pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """The fake pack with a table for the piano."""
    folder = Path(shutil.copytree(fake_pack, tmp_path_factory.mktemp("dials") / "pack"))
    spreads = {dial: {"mean": m, "sd": s, "bar_mean": m, "bar_sd": s} for dial, (m, s) in SPREADS.items()}
    (folder / DIALS_NAME).write_text(json.dumps({"schema": 1, "songs": 9, "styles": {"piano": spreads}}))
    write_fake_manifest(folder)
    return load_pack(folder)


@pytest.fixture(scope="module")
def old_pack(fake_pack: Path) -> Pack:
    return load_pack(fake_pack)


def test_seed_0_stays_as_it_was_unless_a_dial_is_turned(pack: Pack) -> None:
    made, now, dials = turn_dials(pack, reading(), score(), wishes(), 0)
    assert made == score() and now.chart == reading().chart
    assert dials is not None and not dials.asked and not dials.drawn
    # Three strokes in four beats are log2(3/4) = -0.415: at a mean of 0 and steps of 0.5 a setting of -0.83.
    assert dials.measured["density"] == pytest.approx(math.log2(0.75) / 0.5)
    assert dials.measured["voices"] == 0.0


def test_an_asked_dial_is_obeyed_and_the_receipt_says_so(pack: Pack) -> None:
    made, _, dials = turn_dials(pack, reading(), score(), wishes(density=1.5, register=-1), 0)
    assert made != score() and dials is not None
    facts = dials.to_json()["dials"]
    assert tuple(facts) == DIALS
    assert facts["density"]["asked"] == 1.5 and facts["density"]["drawn"] is None
    assert facts["density"]["measured"] == pytest.approx(1.5, abs=0.4)
    assert facts["register"]["measured"] == pytest.approx(-1.0, abs=0.4)
    assert facts["voices"]["asked"] is None
    json.dumps(dials.to_json(), allow_nan=False)


def drawn(pack: Pack, seed: int, asked: dict[str, float] | None = None, *bars: BarRhythm) -> dict[str, float]:
    return drawn_dials(pack, asked or {}, seed, "piano", bars, GRID)


def test_other_seeds_draw_for_themselves(pack: Pack) -> None:
    takes = [turn_dials(pack, reading(), score(), wishes(), seed) for seed in (1, 2, 1)]
    assert takes[0][0] == takes[2][0] != takes[1][0]
    for (_, _, dials), seed in zip(takes, (1, 2, 1), strict=True):
        assert dials is not None and dials.drawn == drawn(pack, seed) and set(dials.drawn) == set(DIALS)


def test_what_is_drawn_lies_near_what_songs_do_on_average(pack: Pack) -> None:
    found = np.array([[drawn(pack, seed)[dial] for dial in DIALS] for seed in range(1, 401)])
    assert np.abs(found.mean(axis=0)).max() < 0.2 * DRAWN_SD
    assert 0.85 * DRAWN_SD < found.std(axis=0).min() <= found.std(axis=0).max() < 1.15 * DRAWN_SD
    assert np.abs(np.corrcoef(found.T) - np.eye(len(DIALS))).max() < 0.2


def test_a_rhythm_has_a_density_and_a_syncopation_of_its_own(pack: Pack) -> None:
    """Two strokes a beat, each second one off the beat, are a density of log2(2) = 1: 2 steps of 0.5."""
    eighths = BarRhythm((tuple(range(0, 48, 6)), (), ()))
    with_rhythm, without = drawn(pack, 5, None, eighths, eighths), drawn(pack, 5)
    assert with_rhythm["density"] == pytest.approx(2.0)
    mean, sd = SPREADS["syncopation"]
    measured = rhythm_attributes([eighths, eighths], 4, compound=False, bass=False)[1]
    assert with_rhythm["syncopation"] == pytest.approx((measured - mean) / sd)
    assert {dial: x for dial, x in with_rhythm.items() if dial not in RHYTHM_DIALS} == {
        dial: x for dial, x in without.items() if dial not in RHYTHM_DIALS
    }
    very_dense = BarRhythm((tuple(range(0, 48, 3)), (), ()))
    assert drawn(pack, 5, None, very_dense)["density"] == 2.0  # the end of the dial


def test_an_asked_dial_is_not_drawn_and_leaves_the_others(pack: Pack) -> None:
    alone, with_one = drawn(pack, 5), drawn(pack, 5, {"density": 1.0})
    assert with_one == {dial: x for dial, x in alone.items() if dial != "density"}
    assert drawn(pack, 0) == {}


def test_an_old_pack_draws_nothing(old_pack: Pack) -> None:
    assert drawn(old_pack, 3) == {}
    made, _, dials = turn_dials(old_pack, reading(), score(), wishes(), 3)
    assert made == score() and dials is not None and not dials.drawn
    louder, _, _ = turn_dials(old_pack, reading(), score(), wishes(voices=2), 3)
    assert louder != score()


def test_sections_hold_for_their_bars_only(pack: Pack) -> None:
    asked = wishes(section=[{"bars": "3-4", "density": 2}, {"bars": "7", "voices": -2}])
    made, _, dials = turn_dials(pack, reading(), score(), asked, 0)
    assert dials is not None

    def of_bars(score: Score, *bars: int) -> list[Note]:
        return [n for n in score.notes if int((n.start_s + 1e-6) / 2.0) + 1 in bars]

    assert of_bars(made, 1, 2, 5, 6, 8) == of_bars(score(), 1, 2, 5, 6, 8)
    assert len(of_bars(made, 3)) > len(of_bars(score(), 3)) and len(of_bars(made, 7)) < len(
        of_bars(score(), 7)
    )
    facts = dials.to_json()["sections"]
    assert [(section["bars"], section.keys() - {"bars"}) for section in facts] == [
        ("3-4", {"density"}),
        ("7", {"voices"}),
    ]
    assert facts[0]["density"]["asked"] == 2.0 and facts[0]["density"]["measured"] > 1.0


def test_the_song_s_dials_hold_in_sections_that_do_not_say(pack: Pack) -> None:
    both = wishes(register=2, section=[{"bars": "1-4", "density": 1}])
    made, _, dials = turn_dials(pack, reading(), score(), both, 0)
    assert dials is not None and dials.measured["register"] > 1.0
    assert all(measured["register"] > 1.0 for _, measured in dials.sections)
    assert made != score()


def test_bars_that_the_song_does_not_have_are_told_with_the_range() -> None:
    with pytest.raises(UsageError, match=r"^Section of bars 7-9: the recording has bars 1 to 8 only\.$"):
        check_sections(wishes(section=[{"bars": "7-9", "density": 1}]).section, GRID, DURATION_S)
    with pytest.raises(UsageError, match="no bars were found; give the tempo"):
        check_sections(wishes(section=[{"bars": "1", "density": 1}]).section, BeatGrid(), DURATION_S)
    check_sections([], BeatGrid(), DURATION_S)
    check_sections(wishes(section=[{"bars": "1-8", "density": 1}]).section, GRID, DURATION_S)


def test_a_style_that_nobody_measured_has_no_dials(pack: Pack) -> None:
    for asked in (wishes(style="jazz", colour=1), wishes(style="jazz", section=[{"bars": "1", "colour": 1}])):
        with pytest.raises(
            UsageError, match=r"^colour: nobody has measured .* 'jazz' do; .* one of piano\.$"
        ):
            check_dials(pack, asked)
    check_dials(pack, wishes(style="jazz"))
    made, _, dials = turn_dials(pack, reading(), score(), wishes(style="jazz"), 1)
    assert made == score() and dials is None


def test_colour_is_not_drawn_over_a_given_chart(pack: Pack) -> None:
    given = reading(PLAN_GIVEN)
    for seed in range(1, 6):
        _, now, dials = turn_dials(pack, given, score(), wishes(), seed)
        assert dials is not None and "colour" not in dials.drawn
        assert now.chart == given.chart
    _, now, _ = turn_dials(pack, given, score(), wishes(colour=2), 0)
    assert {span.label for span in now.chart} <= {"C", "Cmaj7", "C6", "G", "G7"}
    assert now.chart != given.chart


def test_a_given_chart_is_kept_to(pack: Pack) -> None:
    given = reading(PLAN_GIVEN)
    for dial in DIALS:
        for setting in (-2.0, 2.0):
            made, now, _ = turn_dials(pack, given, score(), wishes(**{dial: setting}), 0)
            allowed = {"C": {0, 4, 7}, "G": {7, 11, 2}}
            for note in made.notes:
                label = now.chart[min(int((note.start_s + 0.08) / 2.0), BARS - 1)].label
                extra = {"maj7": {11}, "6": {9}, "7": {5}}.get(label[1:], set())
                assert note.pitch % 12 in allowed[label[0]] | extra, (dial, setting, note)


@pytest.mark.parametrize("key_given", [False, True])
def test_sevenths_of_a_given_chart_stay_whatever_the_key(pack: Pack, key_given: bool) -> None:
    sevenths = [replace(span, label=span.label.replace("G", "G7")) for span in reading().chart]
    given = replace(reading(PLAN_GIVEN), chart=sevenths, fixed=sevenths, key_given=key_given)
    added = [replace(note, pitch=65) for note in score().notes if note.pitch == 59]
    played = follow_chart(Score.of([*score().notes, *added], DURATION_S), sevenths)
    made, now, dials = turn_dials(pack, given, played, wishes(colour=-2), 0)
    assert dials is not None and dials.asked == {"colour": -2.0}
    assert now.chart == sevenths
    assert [(n.start_s, n.pitch) for n in made.notes] == [(n.start_s, n.pitch) for n in played.notes]


def test_without_beats_the_other_dials_still_work(pack: Pack) -> None:
    unknown = replace(reading(), grid=BeatGrid())
    made, _, dials = turn_dials(pack, unknown, score(), wishes(register=2, syncopation=2), 0)
    assert dials is not None and "syncopation" not in dials.measured
    assert dials.to_json()["dials"]["syncopation"] == {
        "asked": 2.0,
        "like": None,
        "drawn": None,
        "measured": None,
    }
    assert made != score() and dials.measured["register"] > 1.0
