"""The text of a sidecar: which settings it may hold, and what is wrong with one."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, ValidationError

from appliance.composing.wishes import Section, SidecarWishes
from appliance.errors import InputError
from appliance.files.refused_values import refusal, unknown_key
from appliance.files.toml import TomlError, parse_toml
from appliance.watch.settings.values import Seed, Takes

MAX_LINE_CHARACTERS = 500
"""Longest line, because the memory of Python's TOML parser grows with the square of a key's parts."""

_MAX_SENTENCE = 800
"""Characters of a validation error that are shown."""

_SECTION = re.compile(r"\bsection\.(\d+)(?:\.(\w+))?")
"""The place of a section, or of a key in it, in an error."""

Name = Annotated[str, Field(min_length=1, max_length=50)]


class Sidecar(SidecarWishes):
    """Keys of ``backline.toml`` and ``NAME.toml``; missing keys are inherited.

    Its limits are narrower than the command's, because a hundred takes would block the queue unattended.
    """

    style: Name = SidecarWishes().style
    key: Name | None = None
    chords: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """Name of a chord chart in the same folder."""
    like: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """Name of a reference in the same folder."""
    takes: Takes = 1
    seed: Seed = 0


def parse_sidecar(text: str, name: str) -> Sidecar:
    """The settings in the text of a sidecar, which errors call ``name``."""
    if max(map(len, text.splitlines()), default=0) > MAX_LINE_CHARACTERS:
        raise InputError(
            f"{name} has a line that is too long; settings have at most {MAX_LINE_CHARACTERS} "
            "characters per line."
        )
    try:
        return Sidecar.model_validate(parse_toml(text))
    except TomlError as error:
        raise InputError(f"{name}, {error}.") from error
    except ValidationError as error:
        said = _SECTION.sub(_counted, refusal(error, _unknown))
        raise InputError(f"{name}: {said[:_MAX_SENTENCE]}.") from error
    except (ValueError, RecursionError) as error:  # a number with thousands of digits, deeply nested lists
        raise InputError(f"{name} has a value that no sidecar needs; remove it.") from error


def _unknown(key: str) -> str:
    inside = _SECTION.match(key) is not None
    known = Section.written_names() if inside else Sidecar.written_names()
    *others, last = known
    holder = "a section" if inside else "a sidecar"
    return unknown_key(key.rpartition(".")[2], known, f"{holder} may hold {', '.join(others)} and {last}")


def _counted(match: re.Match[str]) -> str:
    """The first section is number 1, not 0."""
    key = f": {match[2]}" if match[2] else ""
    return f"section {int(match[1]) + 1}{key}"
