"""Lines for the journal: a level, a sentence, and facts as ``key=value``; nothing hostile gets through.

When standard error is not a terminal each line begins with ``<N>``, which systemd's journal takes as the
level (sd-daemon(3)). Names of files come from strangers, so whatever does not print (control characters,
line breaks, marks that turn the direction of text, bytes that are no text) is shown by its code.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress

from appliance.watch.disk.found import shown

ERROR, WARNING, NOTICE, INFO = logging.ERROR, logging.WARNING, 25, logging.INFO

_PRIORITIES = {ERROR: 3, WARNING: 4, NOTICE: 5, INFO: 6}

_LONGEST = 4_000
"""Characters of one value: the journal cuts lines at 48 KiB, and nobody reads longer ones."""


def log(level: int, message: str, **facts: object) -> None:
    """Writes one line. Never fails: a log that cannot be written must not stop the work."""
    _logger.log(level, message, extra={"facts": facts})


class _Line(logging.Formatter):
    """A record as a line, with its priority where a journal reads it."""

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, object] = vars(record)["facts"]
        words = [plain(record.msg), *(f"{key}={_value(value)}" for key, value in facts.items())]
        prefix = "" if sys.stderr.isatty() else f"<{_PRIORITIES[record.levelno]}>"
        return f"{prefix}{' '.join(words)}"


class _StandardError(logging.Handler):
    """Whatever standard error is when the line is written."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()


def plain(text: str) -> str:
    """A sentence as one line that is safe to show. Backslashes stay: names in it may be escaped already."""
    how = "surrogateescape" if _is_ours(text) else "backslashreplace"
    return "\\".join(shown(part.encode("utf-8", how)) for part in text[:_LONGEST].split("\\"))


def _is_ours(text: str) -> bool:
    """Whether all its surrogates stand for bytes, as in names that the system gave."""
    return not any("\ud800" <= c <= "\udfff" and not "\udc80" <= c <= "\udcff" for c in text)


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    text = shown(value[:_LONGEST]) if isinstance(value, bytes) else plain(str(value))
    if text and not any(c in ' "=' for c in text):
        return text
    return '"' + text.replace('"', "\\x22") + '"'


_logger = logging.getLogger("backline.watch")
_logger.setLevel(INFO)
_logger.propagate = False
_logger.addHandler(_StandardError())
_logger.handlers[0].setFormatter(_Line())
