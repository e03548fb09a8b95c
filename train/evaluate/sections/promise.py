"""A promise, and how it is compared with a measurement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Sections = Mapping[str, Any]
"""Facts of the sections that were measured, by name."""

NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise; ``asked`` and ``measured`` are texts, ``kept`` is None if it was not measured."""

    what: str
    asked: str
    measured: str
    kept: bool | None


def judged(
    sections: Sections,
    section: str,
    what: str,
    asked: str,
    measure: Callable[[Any], tuple[float | None, str]],
    keeps: Callable[[float], bool],
) -> Promise:
    """The promise ``what``, judged by the value and text that ``measure`` finds in the facts of a section.

    It is not measured if the section or the value is missing.
    """
    if section not in sections or "missing" in sections[section]:
        return Promise(what, asked, NOT_MEASURED, None)
    value, words = measure(sections[section])
    return Promise(what, asked, words, None if value is None else keeps(value))
