"""Lines for the system log: a level, a sentence, and facts as ``key=value``, with hostile characters escaped.

Unless standard error is a terminal, each line begins with ``<N>``, which systemd reads as the level
(sd-daemon(3)). File names may come from an attacker, so control characters, line breaks, marks that change
the text direction and invalid UTF-8 are escaped.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress

from appliance.watch.disk.found import shown

ERROR, WARNING, NOTICE, INFO = logging.ERROR, logging.WARNING, 25, logging.INFO

_PRIORITIES = {ERROR: 3, WARNING: 4, NOTICE: 5, INFO: 6}

_LONGEST = 4_000
"""Characters of one value; the system log truncates lines at 48 KiB."""


def log(level: int, message: str, **facts: object) -> None:
    """Write one line. It never raises: a log that cannot be written must not stop the work."""
    _logger.log(level, message, extra={"facts": facts})


class _LineFormatter(logging.Formatter):
    """Formats a record as a line, with its priority unless a terminal shows it."""

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, object] = vars(record)["facts"]
        words = [plain(record.msg), *(f"{key}={_value(value)}" for key, value in facts.items())]
        prefix = "" if sys.stderr.isatty() else f"<{_PRIORITIES[record.levelno]}>"
        return f"{prefix}{' '.join(words)}"


class _StandardErrorHandler(logging.Handler):
    """Writes to ``sys.stderr``, looked up for each line because tests replace it."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()


def plain(text: str) -> str:
    """A sentence as one printable line. Backslashes stay, because names in it may be escaped already."""
    how = "surrogateescape" if _is_decoded(text) else "backslashreplace"
    return "\\".join(shown(part.encode("utf-8", how)) for part in text[:_LONGEST].split("\\"))


def _is_decoded(text: str) -> bool:
    """Whether all surrogates in ``text`` stand for bytes, as :func:`os.fsdecode` makes them."""
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
_logger.addHandler(_StandardErrorHandler())
_logger.handlers[0].setFormatter(_LineFormatter())
