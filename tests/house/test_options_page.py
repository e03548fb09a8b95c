"""The page of options: its tables are those of the code, its examples are read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import soundfile
from support.pages import (
    blocks,
    first_cells,
    named,
    pages,
    parse,
    section,
)

from appliance import errors
from appliance.cli.main import cli
from appliance.music.beat_file import parse_beats
from appliance.music.chord_chart import fixed_chords, parse_chart
from appliance.music.chord_names import parse_chord
from appliance.music.chord_quality import QUALITIES
from appliance.music.keys import Key
from appliance.music.scale_degrees import SongKey
from appliance.music.score import STYLES, BeatGrid
from appliance.watch.inbox.sidecar import MAX_BYTES, MAX_LINE_CHARACTERS, MAX_SETTINGS_BYTES, _Sidecar
from appliance.watch.settings.config import Config

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib


@pytest.fixture(scope="module")
def page(root: Path) -> dict[str, str]:
    return pages(root)


@pytest.fixture(scope="module")
def options(page: dict[str, str]) -> str:
    return page["docs/options.md"]


@pytest.mark.parametrize(
    ("command", "heading"), [("render", "Options of `backline render`"), ("redo", "Redoing a take")]
)
def test_the_options_are_those_documented(options: str, command: str, heading: str) -> None:
    documented = {cell.split()[0] for cell in named(first_cells(section(options, f"## {heading}")))}
    offered = {o for p in cli.commands[command].params for o in p.opts if o.startswith("--")}
    assert documented == offered - {"--help"}


def test_styles_are_those_documented_and_can_be_heard(page: dict[str, str], options: str, root: Path) -> None:
    (row,) = re.findall(r"^\| `--style S` \| `piano` \| (.+) \|$", options, re.MULTILINE)
    assert tuple(re.findall(r"`(\w+)`", row)) == STYLES
    heard = re.findall(r"\[(\w+)\]\((demo/styles/\w+\.mp3)\)", page["README.md"])
    known = json.loads((root / "packs" / "reference" / "pack.json").read_text())["styles"]
    assert [name for name, _ in heard] == known
    for _, path in heard:
        assert (root / path).stat().st_size <= 250_000
        assert soundfile.info(root / path).duration == pytest.approx(15.0, abs=0.1)


def test_the_exit_codes_are_those_documented(options: str) -> None:
    documented = set(map(int, first_cells(section(options, "## Exit codes"))))
    kinds = [errors.BacklineError, *errors.BacklineError.__subclasses__()]
    assert documented == {0, *(kind.exit_code for kind in kinds), errors.INTERRUPTED_EXIT_CODE}


def test_sidecar_settings_are_those_documented(options: str) -> None:
    text = section(options, "## Sidecars")
    assert sorted(named(first_cells(text))) == sorted(_Sidecar.written_names())
    (example,) = blocks(text, "toml")
    read = _Sidecar.model_validate(tomllib.loads(example))
    assert set(read.model_dump(exclude_none=True, by_alias=True)) == set(_Sidecar.written_names())
    assert f"{MAX_SETTINGS_BYTES >> 10} KiB" in text and f"{MAX_LINE_CHARACTERS} characters" in text
    assert f"{MAX_BYTES >> 10} KiB" in text


def test_sections_of_the_settings_file_are_those_documented(options: str) -> None:
    rows = named(first_cells(section(options, "## The settings file")))
    assert rows == [f"[{name}]" for name in Config.model_fields]


def test_chart_and_beat_examples_are_read(options: str) -> None:
    (beats,) = blocks(options, "beats")
    grid = parse_beats(beats, 12.0, "beats.txt")
    assert grid.meter == 3 and grid.beats_s[grid.downbeats[0]] == 0.512
    timed, bars, gaps = blocks(options, "chart")
    spans = parse_chart(timed, grid, 12.0, "chart.txt")
    assert [(span.start_s, span.label) for span in spans] == [(0.0, "Am7"), (2.5, "F/A"), (4.0, "N")]
    labels = [span.label for span in parse_chart(bars, grid, 12.0, "chart.txt")]
    assert labels == ["Am", "F", "G", "C", "N"]  # the repeated C joins the one before it
    long = BeatGrid(tuple(range(33)), tuple(range(0, 33, 4)), 1.0)
    fixed = fixed_chords(parse_chart(gaps, long, 32.0, "chart.txt"))
    assert [(s.start_s, s.end_s, s.label) for s in fixed] == [
        (0, 4, "Am"),
        (12, 16, "G7"),
        (24, 26, "G"),
        (28, 32, "C"),
    ]


def test_chord_names_are_those_documented(options: str) -> None:
    text = section(options, "## Chord charts")
    table = re.findall(r"^\| \(none\).*$", text, re.MULTILINE)
    assert set(named(table)) | {""} == set(QUALITIES)
    (others,) = re.findall(r"^Other common spellings are read too, such as (.*?)\. So is", text, re.M | re.S)
    assert all(parse_chord(spelling) for spelling in named([others]))
    (changes,) = re.findall(r"built the same way: (.*?) may follow any", text, re.M | re.S)
    assert all(parse_chord(f"C7{change.replace('…', '9')}") for change in named([changes]))
    (degrees,) = blocks(text, "degrees")
    grid = BeatGrid(tuple(range(48)), tuple(range(0, 48, 4)), 1.0)
    labels = [s.label for s in parse_chart(degrees, grid, 48.0, "x", SongKey(Key.parse("C")))]
    assert labels == ["C", "Am", "F", "G/B", "C", "Am", "F", "G/B", "C", "Am", "Bb", "D7", "G"]
    for key in named([section(options, "## Keys")])[2:]:
        assert key in ("major", "minor") or Key.parse(key)


def test_defaults_in_the_options_table_are_true(options: str) -> None:
    values = parse(["render", "a.wav", "--out", "b"]).params
    for name, default in re.findall(r"^\| `(--[\w-]+)[^|]*` \| `?([\w/]+)`? \|", options, re.MULTILINE):
        (parameter,) = (p for p in cli.commands["render"].params if name in p.opts)
        if default == "required":
            assert parameter.required
        elif default == "estimated":
            assert values[parameter.name] is None
        elif default == "off":
            assert values[parameter.name] is False
        else:
            assert type(values[parameter.name])(default) == values[parameter.name]
