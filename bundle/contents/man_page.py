"""Generates the man page from the command line's help, so the two always agree."""

from __future__ import annotations

import gzip
from datetime import datetime, timezone
from pathlib import Path

import click

from appliance.errors import INTERRUPTED_EXIT_CODE, BacklineError

FILES = (
    ("/opt/backline/current", "the active release; /opt/backline/previous is the one before it"),
    ("/opt/backline/packs/active", "the active pack"),
    ("/opt/backline/keys", "trusted public keys: releases and packs must be signed with one of them"),
    ("/opt/backline/systemd/README.md", "administration: upgrades, backup, shares, monitoring"),
    ("/etc/backline/backline.toml", "settings of the watched-folder service"),
    ("/srv/backline", "the folders inbox, outbox, archive and rejected"),
    ("/var/lib/backline", "the journal of the watched-folder service"),
)


def man_page(root: click.Group, version: str, time_s: int) -> str:
    """The page ``backline.1`` in roff; ``time_s``, seconds since 1970, is its date."""
    day = datetime.fromtimestamp(time_s, timezone.utc).date().isoformat()
    lines = [
        f'.TH BACKLINE 1 "{day}" "Backline {version}" "User commands"',
        ".SH NAME",
        "backline \\- offline accompaniment for a solo vocal recording",
        ".SH SYNOPSIS",
        ".B backline",
        "\\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...",
        ".SH DESCRIPTION",
        _text(root.help),
        ".SH COMMANDS",
    ]
    lines += _commands(root, click.Context(root, info_name="backline"))
    lines.append(".SH EXIT STATUS")
    for code, meaning in sorted(_exit_codes().items()):
        lines += [".TP", f".B {code}", _text(meaning)]
    lines.append(".SH FILES")
    for path, meaning in FILES:
        lines += [".TP", f".I {_text(path)}", _text(meaning)]
    return "\n".join(line for line in lines if line) + "\n"


def write_man_page(file: Path, page: str) -> None:
    """Write ``page`` to ``file``, compressed reproducibly, and create its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(page.encode(), mtime=0))


def _commands(group: click.Group, context: click.Context) -> list[str]:
    """Every visible command below ``group`` and its subgroups, with help and options."""
    lines: list[str] = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            lines += _commands(command, inner)
            continue
        usage = " ".join(command.collect_usage_pieces(inner))
        lines += [f".SS {_text(inner.command_path)} {_text(usage)}", _text(command.help)]
        for parameter in command.get_params(inner):
            record = None if _is_help(parameter) else parameter.get_help_record(inner)
            if record is not None:
                lines += [".TP", f".B {_text(record[0])}", _text(record[1])]
    return lines


def _is_help(parameter: click.Parameter) -> bool:
    return "--help" in parameter.opts


def _exit_codes() -> dict[int, str]:
    """Each exit code with the first paragraph of its error's docstring."""
    found = {
        0: "Success.",
        INTERRUPTED_EXIT_CODE: "Stopped by Ctrl-C; no incomplete files are left.",
    }
    pending = [BacklineError]
    while pending:
        error = pending.pop(0)
        if error.__module__.startswith("appliance."):
            found.setdefault(error.exit_code, (error.__doc__ or "").split("\n\n")[0])
            pending += error.__subclasses__()
    return found


def _text(text: str | None) -> str:
    """``text`` escaped for roff: backslashes and hyphens are literal, and no line is a request."""
    flat = " ".join((text or "").replace("``", "").split())
    escaped = flat.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + escaped if escaped.startswith((".", "'")) else escaped
