"""SPDX licences of parts whose metadata names none; somebody has read each of them.

The build stops at a package or library that neither names its licence nor is listed here.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageMetadata

PYTHON_PACKAGES = {
    "markdown-it-py": "MIT",
    "mdurl": "MIT",
    "mido": "MIT",
    "rich": "MIT",
    "soundfile": "BSD-3-Clause",
    "tinysoundfont": "MIT",
}
"""Distributions whose metadata has no ``License-Expression``; each licence was read in the wheel."""

GCC = "GPL-3.0-or-later WITH GCC-exception-3.1"
"""Debian's copyright file of libstdc++ and libgcc_s."""

ZIG = "MIT"
"""zig's own library and the musl in it."""

SOUNDFONT = "MIT"
"""FluidR3 GM, reduced; its licence text is the pack's ``band-licence.txt``."""

LICENCE_NAME = re.compile(r"(licen[cs]e|copying|notice|authors|.*third-party-programs)", re.IGNORECASE)
"""Matches the start of the name of a file that holds a licence."""


def of_distribution(name: str, metadata: PackageMetadata) -> str | None:
    """The SPDX expression of the Python package ``name`` (normalised); None if it is unknown."""
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    return PYTHON_PACKAGES.get(name)
