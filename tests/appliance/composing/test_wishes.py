"""The user's wishes: limits, the command's errors and the journal's JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from appliance.cli.main import render
from appliance.composing.wishes import DialWishes, SidecarWishes, Wishes
from appliance.errors import UsageError
from appliance.music.dials import DIALS


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ({"bpm": 0.0}, "--bpm 0: not a tempo; give beats per minute between 10 and 400."),
        ({"bpm": 400.5}, "--bpm 400.5: not a tempo; give beats per minute between 10 and 400."),
        ({"bpm": float("nan")}, "--bpm nan: not a tempo; give beats per minute between 10 and 400."),
        ({"bpm": float("inf")}, "--bpm inf: not a tempo; give beats per minute between 10 and 400."),
        ({"takes": 0}, "--takes 0: give a number of 1 or more."),
        ({"seed": -1}, "--seed -1: give a number of 0 or more."),
        ({"sound": "tape"}, "--sound tape: unknown sound; choose one of band, neural."),
        (
            {"half_time": True, "double_time": True},
            "--half-time and --double-time contradict each other; give only one of them.",
        ),
        (
            {"bpm": 90.0, "half_time": True},
            "--bpm and --half-time contradict each other; give only one of them.",
        ),
        ({"variety": 1.5}, "--variety 1.5: must be at most 1, not 1.5."),
    ],
)
def test_the_command_names_the_option(option: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as told:
        Wishes.from_options(**option)
    assert str(told.value) == sentence


def test_numbers_without_an_upper_limit() -> None:
    """The command accepts larger values than a sidecar."""
    wishes = Wishes.from_options(takes=100, seed=2**60)
    assert (wishes.seed, wishes.takes) == (2**60, 100)


def test_json_holds_what_was_asked_and_nothing_else() -> None:
    assert Wishes().to_json() == "{}"
    assert Wishes(bpm=None, key=None).to_json() == "{}"
    asked = Wishes(style="piano", bpm=92, chords="| Am |\n", chords_name="ü.txt")
    text = asked.to_json()
    assert text == '{"bpm":92.0,"chords":"| Am |\\n","chords_name":"\\u00fc.txt","style":"piano"}'
    assert Wishes.from_json(text) == asked and Wishes.from_json(text).to_json() == text


@pytest.mark.parametrize(
    "wrong", [{"tempo": 92}, {"bpm": "92"}, {"bpm": 5}, {"takes": 1.5}, {"sound": "loud"}, {"seed": None}]
)
def test_json_is_read_strictly(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Wishes.from_json(json.dumps(wrong))


def test_every_wish_of_a_sidecar_is_an_option_with_the_same_default() -> None:
    given = render.make_context("render", ["song.wav", "--out", "out"]).params
    for name, field in {**SidecarWishes.model_fields, "variety": Wishes.model_fields["variety"]}.items():
        if name != "section":  # a table, which only a file can hold
            assert given[field.alias or name] == field.default, name


def test_a_new_wish_needs_one_field() -> None:
    class Later(Wishes):
        swing: float = 1.0

    old = Wishes(style="jazz", seed=3).to_json()
    assert Later.model_validate(json.loads(old)).to_json() == old
    assert Later(swing=0.5, seed=3).to_json() == '{"seed":3,"swing":0.5}'


def test_the_dials_are_fields_and_come_in_one_order() -> None:
    assert tuple(DialWishes.written_names()) == DIALS
    assert Wishes.model_validate({"colour": 1, "register": -2}).dials == {"register": -2.0, "colour": 1.0}
    assert Wishes().dials == {}


@pytest.mark.parametrize("dial", DIALS)
def test_a_dial_goes_from_minus_two_to_two(dial: str) -> None:
    for setting in (-2.0, 0.0, 1.5, 2.0):
        assert Wishes.from_options(**{dial: setting}).dials == {dial: setting}
    for setting in (-2.01, 2.01, float("nan")):
        with pytest.raises(UsageError, match=rf"^--{dial} {setting}: must be "):
            Wishes.from_options(**{dial: setting})


def test_json_of_dials_and_sections() -> None:
    asked = Wishes.model_validate(
        {"register": 1, "section": [{"bars": "17-24", "density": 1}, {"bars": "3", "register": -0.5}]}
    )
    text = asked.to_json()
    assert text == (
        '{"register":1.0,"section":[{"bars":"17-24","density":1.0},{"bars":"3","register":-0.5}]}'
    )
    assert Wishes.from_json(text) == asked
    assert [(s.first, s.last, s.dials) for s in asked.section] == [
        (17, 24, {"density": 1.0}),
        (3, 3, {"register": -0.5}),
    ]


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        ([{"bars": "24-17", "density": 1}], "'24-17' is not a range of bars; write it like bars = '17-24'"),
        ([{"bars": "0-4", "density": 1}], "'0-4' is not a range of bars"),
        ([{"bars": "verse", "density": 1}], "'verse' is not a range of bars"),
        ([{"bars": "1-4"}], "the section of bars 1-4 turns no dial; add one, such as density = 1"),
        (
            [{"bars": "9-16", "density": 1}, {"bars": "1-9", "colour": 1}],
            "the sections of bars 1-9 and 9-16 overlap; part them",
        ),
        ({"bars": "1-4", "density": 1}, r"a section begins with \[\[section\]\], in double brackets"),
        ([{"bars": "1-4", "density": 3}], "less than or equal to 2"),
        ([{"bars": "1-4", "takes": 3, "density": 1}], "Extra inputs are not permitted"),
    ],
)
def test_sections_are_read_strictly(sections: object, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Wishes.model_validate({"section": sections})


@pytest.mark.slow
def test_the_daemon_needs_no_numpy_for_it() -> None:
    code = "import sys, appliance.composing.wishes; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
