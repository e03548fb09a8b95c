"""Reads TOML that people write by hand: an error names the line and says how to write it."""

from __future__ import annotations

import re
import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_LINE = re.compile(r"at line (\d+)")
_STATEMENT = re.compile(r"""\s*([A-Za-z0-9_.\-]+|"[^"]*"|'[^']*')\s*=\s*(.*?)\s*$""")
_COLON = re.compile(r"\s*([A-Za-z0-9_\-]+)\s*:\s*(.*?)\s*$")
_CURLY = "“”„‟‘’‚«»″′"
_LONGEST_SHOWN = 80


class TomlError(ValueError):
    """The text is not TOML; the sentence, without its full stop, begins with the line."""


def parse_toml(text: str) -> dict[str, Any]:
    """The tables and values in ``text``.

    Raises:
        TomlError: it is not TOML.
        ValueError, RecursionError: it holds numbers or nesting beyond Python's limits.

    >>> parse_toml("takes = 3")
    {'takes': 3}
    """
    try:
        found: dict[str, Any] = tomllib.loads(text)
        return found
    except tomllib.TOMLDecodeError as error:
        lines = text.splitlines()
        number = _line_of(str(error), lines)
        line = lines[number - 1] if 0 < number <= len(lines) else ""
        raise TomlError(f"line {max(1, number)}: {_remedy(line, str(error))}") from error


def _line_of(said: str, lines: list[str]) -> int:
    """The line of an error; of one at the end of the text, the last line that says anything."""
    if (match := _LINE.search(said)) is not None:
        return int(match.group(1))
    return max((n for n, line in enumerate(lines, start=1) if line.strip()), default=1)


def _remedy(line: str, said: str) -> str:
    statement = _STATEMENT.match(line)
    if "overwrite" in said or "twice" in said:
        what = statement.group(1) if statement else line.strip()
        return f"{_cut(what)} is there twice; keep one"
    if statement is not None:
        return _value_remedy(statement.group(1), _without_comment(statement.group(2)))
    if line.strip().startswith("[") and not line.rstrip().endswith("]"):
        return f"a bracket is missing: write {_cut(line.strip())}]"
    if (colon := _COLON.match(line)) is not None:
        return f"write an equals sign: {colon.group(1)} = {_cut(_literal(colon.group(2)))}"
    return f"{_cut(line.strip())!r} is not of the form KEY = VALUE"


def _value_remedy(key: str, value: str) -> str:
    bare = value.strip(_CURLY + "\"'")
    if not bare:
        return f"there is no value behind {key} ="
    if not value.isprintable() and "\t" not in value:
        return f"{key} holds a character that cannot be printed; write the line again"
    if any(mark in _CURLY for mark in value):
        return f'put straight quotes around it: {key} = "{_cut(bare)}"'
    if re.fullmatch(r"-?\d+,\d+", value):
        return f"write the number with a point: {key} = {value.replace(',', '.')}"
    if re.fullmatch(r"-?(\.\d+|\d+\.)", value):
        return f"write a digit before and behind the point: {key} = {_padded(value)}"
    if re.fullmatch(r"0\d+", value):
        return f"write the number without zeros in front: {key} = {int(value)}, or put quotes around it"
    if (unit := re.fullmatch(r"(-?\d+(?:\.\d+)?)\s*[A-Za-z%]+", value)) is not None:
        return f"write the number alone: {key} = {unit.group(1)}"
    if value.lower() in ("true", "false", "yes", "no", "on", "off"):
        return f"write {key} = true or {key} = false"
    if "\\" in value:
        return f"put single quotes around it because of its backslash: {key} = '{_cut(bare)}'"
    if value[0] in "\"'":
        if value.count(value[0]) == 1:
            return f"a quote is missing: {key} = {value[0]}{_cut(bare)}{value[0]}"
        plain = value.replace(value[0], "")
        return f'put one pair of quotes around all of it: {key} = "{_cut(plain)}"'
    if value[0] in "[{":
        return f'the value of {key} is not complete; write it on one line, as in ["a", "b"]'
    return f'put quotes around it: {key} = "{_cut(value)}"'


def _without_comment(value: str) -> str:
    """The value alone. A ``#`` right behind a letter is a sharp: ``F# minor``."""
    if value[:1] in ('"', "'"):
        return value
    return re.split(r"(?<![A-Ga-g])#|(?<=\s)#", value, maxsplit=1)[0].rstrip()


def _literal(value: str) -> str:
    """The value with quotes around it, if it needs some."""
    return value if value[:1] in "\"'[" or re.fullmatch(r"-?\d+(\.\d+)?", value) else f'"{value}"'


def _padded(number: str) -> str:
    whole, _, fraction = number.partition(".")
    return f"{whole if whole not in ('', '-') else whole + '0'}.{fraction or '0'}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
