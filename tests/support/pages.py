"""The pages of the project: their words, links, tables and commands.

    python tests/support/pages.py README.md

prints how many words a page has.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from appliance.cli.main import cli

GENERATED = "<!-- Below: written by python -m bench.publish -->"
"""What stands below it in a page is a report, and not ours to word."""


def pages(root: Path) -> dict[str, str]:
    """Path from ``root`` to text, of every page that people write; reports are left out."""
    fixed = ("README.md", "CONTRIBUTING.md", "demo/README.md", "systemd/README.md", "bench/README.md")
    docs = sorted(str(path.relative_to(root)) for path in (root / "docs").glob("*.md"))
    return {name: (root / name).read_text().partition(GENERATED)[0] for name in (*fixed, *docs)}


def word_count(text: str) -> int:
    """Words that a reader sees: pieces between blanks that hold a letter or a digit.

    Tables and code blocks count. Comments, images and the targets of links do not.
    """
    seen = re.sub(r"<!--.*?-->|!\[[^\]]*\]\([^)]*\)|^```\w*$", "", text, flags=re.DOTALL | re.MULTILINE)
    seen = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", seen)
    return sum(any(c.isalnum() for c in piece) for piece in seen.split())


def blocks(text: str, language: str) -> list[str]:
    """The code blocks that are marked as ``language``."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def without_blocks(text: str) -> str:
    """The page without its code blocks."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def inline_code(text: str) -> list[str]:
    """What stands between single backticks."""
    return re.findall(r"`([^`\n]+)`", without_blocks(text))


def sentences(text: str) -> list[str]:
    """Sentences and table cells in which inline code is one word; headings and blocks are left out."""
    prose = re.sub(r"^#.*$", "", without_blocks(text), flags=re.MULTILINE)
    prose = re.sub(r"\]\([^)]*\)", "]", re.sub(r"`[^`\n]+`", "CODE", prose))
    units = re.split(r"\||\n\n|\n[-0-9]|(?<=[.:;?])\s", prose)
    return [" ".join(unit.split()) for unit in units if unit.strip()]


def links(text: str) -> list[str]:
    """Targets of links and images that lie in this repository."""
    targets = re.findall(r"\]\(([^)\s]+)\)", without_blocks(text))
    return [target for target in targets if "://" not in target]


def anchors(text: str) -> set[str]:
    """What the headings of a page are called in links, as GitHub does it."""
    heads = re.findall(r"^#+ (.+)$", without_blocks(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def section(text: str, heading: str) -> str:
    """What stands below ``heading``, up to the next of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    _, found, rest = text.partition(f"\n{heading}\n")
    assert found, f"no section {heading!r}"
    return re.split(rf"^#{{1,{level}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def first_cells(table: str) -> list[str]:
    """The first column of every table in a text, as it is written; its head is left out."""
    rows = re.findall(r"^\| (.*?) \|", table, re.MULTILINE)
    return [row for row in rows if "`" in row or row.isdecimal()]


def named(cells: list[str]) -> list[str]:
    """All inline code of some cells."""
    return [code for cell in cells for code in re.findall(r"`([^`]+)`", cell)]


def shell_lines(text: str) -> list[list[str]]:
    """Commands of the blocks marked ``sh``, split as a shell would; of a loop, every turn."""
    commands: list[list[str]] = []
    for block in blocks(text, "sh"):
        name, values = "", [""]
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if not words or words[0] == "done":
                name, values = "", [""]
            elif words[0] == "for":
                name, values = words[1], [value.rstrip(";") for value in words[3:-1]]
            else:
                commands += [[word.replace(f"${name}", value) for word in words] for value in values]
    return commands


def backline_commands(text: str) -> list[list[str]]:
    """Those of ``backline``, without that word."""
    return [words[1:] for words in shell_lines(text) if Path(words[0]).name == "backline"]


def parse(words: list[str], group: click.Group = cli) -> click.Context:
    """Parse as the command line would, without running; raises ``click.UsageError``."""
    context = click.Context(group, info_name="command")
    name, command, rest = group.resolve_command(context, words)
    assert command is not None
    if isinstance(command, click.Group):
        return parse(rest, command)
    return command.make_context(name, rest, parent=context)


def commands_of(group: click.Group, before: str = "backline") -> Iterator[tuple[str, click.Command]]:
    """Every command that ``--help`` shows, by its whole name."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands_of(command, f"{before} {name}")
        elif not command.hidden:
            yield f"{before} {name}", command


def options_of(group: click.Group) -> set[str]:
    """Every long option of every command."""
    found = (parameter for _, command in commands_of(group) for parameter in command.params)
    return {option for parameter in found for option in parameter.opts if option.startswith("--")}


if __name__ == "__main__":
    for page in sys.argv[1:]:
        print(f"{page}: {word_count(Path(page).read_text())} words")
