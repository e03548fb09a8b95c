"""Words for values that a strict model (pydantic) refuses.

What the library itself says ("Input should be a valid integer", a regular expression) is for programmers. A
user is told what the value must be, and what it is instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, time
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

_LONGEST_VALUE = 60

_TAG = r"\[key\]|literal\[.*\]|constrained-\w+|function-\w+\[.*|nullable\[.*|(float|int|str|bool|none)"

_MUST_BE = {
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of usual size",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text in quotes",
    "string_unicode": "must be text in UTF-8",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "path_type": "must be a path in quotes",
    "tuple_type": "must be a list in brackets",
    "list_type": "must be a list in brackets",
    "dict_type": "must be a section with settings of its own",
    "model_type": "must be a section with settings of its own",
    "model_attributes_type": "must be a section with settings of its own",
    "mapping_type": "must be a section with settings of its own",
}
"""What a value must be, by pydantic's type of error; braces hold its limits."""

_WITHOUT_VALUE = {
    "missing": "missing",
    "json_invalid": "is not JSON",
    "string_too_short": "must have at least {min_length} character(s)",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} item(s)",
    "too_long": "must have at most {max_length} items",
}
"""The same where the value itself would tell nothing."""


def unknown_key(key: str, known: Iterable[str], others: str = "") -> str:
    """What is said of a key that a model does not have: the nearest that it has, or else ``others``.

    >>> unknown_key("Style", ["style", "takes"])
    'unknown key; did you mean style?'
    """
    near = get_close_matches(key.lower(), list(known), n=1, cutoff=0.75)
    return f"unknown key; did you mean {near[0]}?" if near else f"unknown key{others and '; ' + others}"


def refusal(error: ValidationError, unknown: Callable[[str], str] = lambda _: "unknown key") -> str:
    """All errors as one sentence without its full stop.

    ``unknown`` words an unknown key, given with the names of its sections: ``intake.settle``.
    """
    return "; ".join(_sentences(error, unknown))


def first_refusal(error: ValidationError) -> str:
    """The first error, as in :func:`refusal`."""
    return _sentences(error, lambda _: "unknown key")[0]


def must_be(detail: Mapping[str, Any]) -> str:
    """What a value must be, and is not, from one of pydantic's error details; without its place."""
    kind, limits = str(detail["type"]), dict(detail.get("ctx") or {})
    if kind in ("value_error", "assertion_error"):
        return str(limits.get("error", "")) or "is not valid"
    if kind in _WITHOUT_VALUE:
        return _filled(_WITHOUT_VALUE[kind], limits)
    if kind not in _MUST_BE:
        return f"{_shown(detail['input'])} is not valid"
    return f"{_filled(_MUST_BE[kind], limits)}, not {_shown(detail['input'])}"


def _sentences(error: ValidationError, unknown: Callable[[str], str]) -> list[str]:
    """A sentence for each place. Where a value may be of several types, each has refused it."""
    refused: dict[str, list[str]] = {}
    for detail in error.errors(include_url=False):
        place = ".".join(str(part) for part in detail["loc"] if not _is_tag(part))
        said = unknown(place) if detail["type"] == "extra_forbidden" else must_be(detail)
        refused.setdefault(place, []).append(said)
    return [f"{place}: {_either(said)}" if place else _either(said) for place, said in refused.items()]


def _is_tag(part: object) -> bool:
    """Whether part of a place is pydantic's own word for a type, or for the key of a table."""
    return isinstance(part, str) and re.fullmatch(_TAG, part) is not None


def _either(said: list[str]) -> str:
    """ "must be 'singer', not 5" and "must be at least 400, not 5" as one."""
    *others, last = said
    firsts = [one.rpartition(", not ")[0] or one for one in others]
    return ", or ".join([*firsts, last.removeprefix("must be ") if firsts else last])


def _filled(words: str, limits: Mapping[str, Any]) -> str:
    said = words.format_map({name: _number(limit) for name, limit in limits.items()})
    return re.sub(r"\b1 (\w+)\(s\)", r"1 \1", said).replace("(s)", "s")


def _number(limit: object) -> object:
    """A limit without the point of a float that is whole: 10 for 10.0."""
    return int(limit) if isinstance(limit, float) and limit.is_integer() else limit


def _shown(value: object) -> str:
    """The value as a settings file has it, cut if it is long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a section"
    if isinstance(value, date | time):
        return str(value)
    try:
        text = repr(value)
    except ValueError:  # a number of thousands of digits
        return "such a long number"
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"
