"""Reads a text file that the user names."""

from __future__ import annotations

from pathlib import Path

from appliance.errors import UsageError


def read_text(path: Path, what: str) -> str:
    """Read ``path``, without a byte order mark; errors call it ``what`` (``"the chord chart"``).

    Raises:
        UsageError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {what} cannot be read as UTF-8 text ({error}).") from error
