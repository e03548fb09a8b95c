"""Versions of releases and packs: up to four numbers with dots, compared in order. Missing numbers are 0."""

from __future__ import annotations

import re

_VERSION = re.compile(r"\d{1,9}(\.\d{1,9}){0,3}", re.ASCII)


def is_version(text: str) -> bool:
    """Whether ``text`` is a version such as ``1`` or ``1.10.2``."""
    return _VERSION.fullmatch(text) is not None


def is_older(version: str, than: str) -> bool:
    """Whether ``version`` is older than ``than``. Raises ValueError unless both are versions."""
    return order(version) < order(than)


def order(version: str) -> tuple[int, ...]:
    """The sort key of a version: four numbers. Raises ValueError if ``version`` is not one."""
    if not is_version(version):
        raise ValueError(f"{version!r} is not a version such as 1.10.2")
    numbers = [int(number) for number in version.split(".")]
    return tuple(numbers + [0] * (4 - len(numbers)))
