"""Commands in the pages of the project."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click

from appliance.cli.main import cli


def shell_lines(text: str) -> list[list[str]]:
    """Commands of the blocks marked ``sh``, split as a shell would."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = (line for block in blocks for line in block.splitlines() if line.strip())
    return [shlex.split(line, comments=True) for line in lines]


def backline_commands(text: str) -> list[list[str]]:
    return [words[1:] for words in shell_lines(text) if Path(words[0]).name == "backline"]


def build_commands(text: str, room: str) -> list[list[str]]:
    """Commands of a room of the build side, without ``python -m ROOM``."""
    return [words[3:] for words in shell_lines(text) if words[1:3] == ["-m", room]]


def parse(words: list[str]) -> click.Context:
    """Parse as the command line would, without running; raises ``click.UsageError``."""
    group = click.Context(cli, info_name="backline")
    name, command, rest = cli.resolve_command(group, words)
    assert command is not None
    return command.make_context(name, rest, parent=group)
