"""The man page, written from the command line's own help, so that it says what the program does."""

from __future__ import annotations

import gzip
from datetime import datetime, timezone
from pathlib import Path

import click

from appliance.errors import INTERRUPTED_EXIT_CODE, BacklineError

FILES = (
    ("/opt/backline/current", "the release in use; the one before it is /opt/backline/previous"),
    ("/opt/backline/packs/active", "the pack in use"),
    ("/opt/backline/keys", "public keys whose releases and packs are accepted"),
    ("/opt/backline/systemd/README.md", "for the administrator: upgrade, backup, shares, what to watch"),
    ("/etc/backline/backline.toml", "settings of the watched folder"),
    ("/srv/backline", "inbox, outbox, archive, rejected"),
    ("/var/lib/backline", "the journal of the watched folder"),
)


def man_page(root: click.Group, version: str, time_s: int) -> str:
    """The page in roff, for ``backline.1``; ``time_s`` dates it."""
    day = datetime.fromtimestamp(time_s, timezone.utc).date().isoformat()
    lines = [
        f'.TH BACKLINE 1 "{day}" "Backline {version}" "User commands"',
        ".SH NAME",
        "backline \\- accompaniments for recordings of one voice, without a network",
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
    """Write ``page`` compressed, the same bytes for the same page."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(page.encode(), mtime=0))


def _commands(group: click.Group, context: click.Context) -> list[str]:
    """Each command below ``group`` with its help and options; groups are followed by their own."""
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
    """Each exit code with the first sentence about the error that has it."""
    found = {
        0: "Everything was done.",
        INTERRUPTED_EXIT_CODE: "Stopped by Ctrl-C; nothing half-written is left.",
    }
    pending = [BacklineError]
    while pending:
        error = pending.pop(0)
        if error.__module__.startswith("appliance."):
            found.setdefault(error.exit_code, (error.__doc__ or "").split("\n\n")[0])
            pending += error.__subclasses__()
    return found


def _text(text: str | None) -> str:
    """``text`` as roff shows it: backslashes and hyphens meant as such, and no line that is a request."""
    flat = " ".join((text or "").replace("``", "").split())
    escaped = flat.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + escaped if escaped.startswith((".", "'")) else escaped
