"""The user's wishes: limits, the command's errors and the journal's JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from appliance.cli.main import render
from appliance.composing.wishes import SidecarWishes, Wishes
from appliance.errors import UsageError


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
    assert (wishes.seeds[0], len(wishes.seeds)) == (2**60, 100)


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


def test_every_dial_is_an_option_with_the_same_default() -> None:
    given = render.make_context("render", ["song.wav", "--out", "out"]).params
    for name, field in {**SidecarWishes.model_fields, "variety": Wishes.model_fields["variety"]}.items():
        assert given[name] == field.default, name


def test_a_new_dial_needs_one_field() -> None:
    class Later(Wishes):
        density: float = 1.0

    old = Wishes(style="jazz", seed=3).to_json()
    assert Later.model_validate(json.loads(old)).to_json() == old
    assert Later(density=0.5, seed=3).to_json() == '{"density":0.5,"seed":3}'


@pytest.mark.slow
def test_the_daemon_needs_no_numpy_for_it() -> None:
    code = "import sys, appliance.composing.wishes; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
