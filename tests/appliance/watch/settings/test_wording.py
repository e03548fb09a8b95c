"""No user reads a validator's own words, a regular expression, or an option of a command they never typed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from appliance.composing.wishes import Wishes
from appliance.errors import InputError, UsageError
from appliance.watch.inbox import sidecar
from appliance.watch.inbox.reference_hashes import ReferenceHashes
from appliance.watch.inbox.scan import scan
from appliance.watch.inbox.settling import Tracker
from appliance.watch.inbox.sidecar_text import Sidecar
from appliance.watch.settings.config import Config

RAW = re.compile(
    r"validation error|input should|should (be|have|match)|regex|pattern|type=|pydantic|value error"
    r"|assertion|literal\[|https?://|\\d|\[0-9\]|\^|(?-i:\bNone\b|\bTrue\b|\bFalse\b)|<class"
    r"|errors\.|at column|extra inputs",
    re.IGNORECASE,
)

WRONG: list[str] = [
    *(
        "0",
        "-1",
        "1.5",
        "1e9",
        "nan",
        "inf",
        "true",
        "false",
        '""',
        '"x"',
        '"F minor"',
        '"0000"',
        '"9999999"',
    ),
    *(
        '"../x"',
        '"/"',
        '"127.0.0.1:99999"',
        '"127.0.0.1:0"',
        '"0.0.0.0:80"',
        '"localhost"',
        '"[::1]"',
        '"\\u0000"',
    ),
    *(
        "[]",
        "[1]",
        '["a", 1]',
        "{}",
        "{a = 1}",
        "2020-01-01",
        "12:30:00",
        "0x" + "f" * 400,
        '"' + "y" * 300 + '"',
    ),
]
"""Values of every kind of TOML: each is wrong for most of the keys."""


def keys(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Section and key of every setting."""
    for section, default in model():
        for key in type(default).model_fields:
            yield section, key


@pytest.mark.parametrize("value", WRONG)
def test_no_setting_answers_in_the_words_of_a_validator(tmp_path: Path, value: str) -> None:
    refused = 0
    lines = [f"[{section}]\n{key} = {value}" for section, key in keys(Config)]
    lines += [f"{section} = {value}" for section in Config.model_fields]
    lines += [f"[work]\nnonsense = {value}", f"nonsense = {value}", f"settle_s = {value}"]
    for text in lines:
        (tmp_path / "backline.toml").write_text(text)
        try:
            Config.read(tmp_path / "backline.toml")
        except UsageError as error:
            refused += 1
            said = str(error).replace(str(tmp_path), "")
            assert not RAW.search(said) and "\n" not in said and len(said) < 400, (text, said)
    assert refused > len(lines) // 2


def read(watched: Config, text: str) -> Any:
    (watched.folders.inbox / "song.toml").write_text(text)
    tracker = Tracker(10.0)
    tracker.observe(0.0, scan(watched.folders.inbox, watched.intake))
    return sidecar.read_asked(
        watched.folders.inbox,
        b"song.wav",
        tracker,
        100.0,
        watched.work,
        ReferenceHashes(watched.folders.inbox, watched.intake),
    )


@pytest.mark.parametrize("value", WRONG)
def test_no_sidecar_is_answered_in_the_words_of_a_validator(watched: Config, value: str) -> None:
    for key in (*Sidecar.written_names(), "nonsense", "Style", "a.b"):
        try:
            read(watched, f"{key} = {value}")
        except InputError as error:
            said = str(error)
            assert not RAW.search(said) and "\n" not in said and len(said) < 900, (key, value, said)
            assert "--" not in said and "config" not in said, (key, value, said)
        except sidecar.NotReady:
            assert key in ("chords", "like")


def test_a_value_of_several_types_is_told_all_of_them(watched: Config) -> None:
    with pytest.raises(InputError) as caught:
        read(watched, "tuning = 5")
    assert str(caught.value) == "song.toml: tuning: must be 'singer', or at least 400, not 5."


def test_an_unknown_key_of_a_sidecar_lists_those_of_sidecars(watched: Config) -> None:
    with pytest.raises(InputError) as caught:
        read(watched, "drums = 1")
    said = str(caught.value)
    assert said.startswith("song.toml: drums: unknown key; a sidecar may hold ")
    assert all(key in said for key in Sidecar.written_names())
    with pytest.raises(InputError, match=r"^song\.toml: Style: unknown key; did you mean style\?"):
        read(watched, "Style = 'jazz'")


def test_an_unknown_setting_is_answered_with_the_nearest(tmp_path: Path) -> None:
    for text, said in (
        ("[intake]\nsettle = 5", "intake.settle: unknown key; did you mean settle_s?"),
        ("[intake]\nstyle = 'jazz'", "intake.style: unknown key; style belongs into the section [work]"),
        ("takes = 3", "takes: unknown key; takes belongs into the section [work]"),
        ("[intakes]\nx = 3", "intakes: unknown key; did you mean intake?"),
        ("[nonsense]", "nonsense: unknown key; see 'backline config --show'"),
    ):
        (tmp_path / "backline.toml").write_text(text)
        with pytest.raises(UsageError) as caught:
            Config.read(tmp_path / "backline.toml")
        assert said in str(caught.value)


def test_a_key_without_quotes_is_answered_with_quotes(watched: Config, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'^song\.toml, line 2: put quotes around it: key = "F minor"\.$'):
        read(watched, "bpm = 92\nkey = F minor")
    (tmp_path / "backline.toml").write_text("[work]\nstyle = jazz")
    with pytest.raises(UsageError, match=r'backline\.toml, line 2: put quotes around it: style = "jazz"\.$'):
        Config.read(tmp_path / "backline.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[metrics]\nlisten = "127.0.0.1:99999"', "must end in a port from 1 to 65535"),
        ('[metrics]\nlisten = "127.0.0.1:0"', "must end in a port from 1 to 65535"),
        ('[metrics]\nlisten = "[::1]:65536"', "must end in a port from 1 to 65535"),
        ('[metrics]\nlisten = "127.0.0.999:9477"', "must be a loopback address"),
        ('[metrics]\nlisten = "192.168.1.4:9477"', "must be a loopback address"),
        ('[publish]\nfile_mode = "0000"', 'would lock out the service itself; give its user at least "0400"'),
        (
            '[publish]\nfolder_mode = "0000"',
            'would lock out the service itself; give its user at least "0700"',
        ),
        (
            '[publish]\nfolder_mode = "2575"',
            'would lock out the service itself; give its user at least "2775"',
        ),
        ('[publish]\nfile_mode = "rw-r--r--"', "must be three or four digits from 0 to 7"),
        ('[publish]\nfile_mode = "0999"', "must be three or four digits from 0 to 7"),
    ],
)
def test_ports_and_modes_that_cannot_work(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "backline.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        Config.read(tmp_path / "backline.toml")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        *(
            f'[metrics]\nlisten = "{address}:9477"'
            for address in ("127.0.0.1", "127.8.9.10", "[::1]", "localhost")
        ),
        *(f'[publish]\nfile_mode = "{mode}"' for mode in ("0664", "0600", "440", "0400")),
        *(f'[publish]\nfolder_mode = "{mode}"' for mode in ("2775", "0700", "3770")),
        '[metrics]\ntextfile = "/var/lib/backline/backline.prom"',
        '[metrics]\ntextfile = ""',
        '[intake]\nsentinel = "' + ".s" + "x" * 100 + '"',
    ],
)
def test_what_was_allowed_stays_allowed(tmp_path: Path, text: str) -> None:
    (tmp_path / "backline.toml").write_text(text)
    Config.read(tmp_path / "backline.toml")


@pytest.mark.parametrize(
    "options", [{"variety": 1.5}, {"style": 3}, {"variety": "x"}, {"key": 5}, {"bpm": 1.0}]
)
def test_no_option_is_answered_in_the_words_of_a_validator(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        Wishes.from_options(**options)
    assert not RAW.search(str(caught.value))


ROOMS = "audio composing files music networks numerics packs playing rendering vocal watch/engine watch/inbox"
COMMANDS_ONLY = {"composing/wishes.py": "--", "rendering/render.py": "or use --force."}
"""Sentences that only the command says, by their file."""

COMMANDS_ROOM = "rendering/redo/"
"""The service redoes nothing, so what is said there is said by the command."""


def test_what_the_service_may_say_names_no_option_of_the_command(root: Path) -> None:
    found = []
    for room in ROOMS.split():
        for file in (root / "appliance" / room).rglob("*.py"):
            name = str(file.relative_to(root / "appliance"))
            if name.startswith(COMMANDS_ROOM):
                continue
            tree = ast.parse(file.read_text())
            docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                    said = node.value
                    if re.search(r"(?<!backline watch )(?<![\w-])--[a-z]", said):
                        found += [] if COMMANDS_ONLY.get(name, "\0") in said else [f"{name}: {said}"]
    assert found == []
