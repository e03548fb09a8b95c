"""Licences of what does not name its own as SPDX does. Whoever adds a package has read its licence.

A package or library that neither names its licence nor stands here stops the build.
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
"""Distributions whose metadata has no ``License-Expression``; each licence read in the wheel."""

DEBIAN_PACKAGES = {
    "libbz2-1.0": "bzip2-1.0.6",
    "libexpat1": "MIT",
    "libffi8": "MIT",
    "libgcc-s1": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "liblzma5": "LicenseRef-public-domain",
    "libnsl2": "LGPL-2.1-or-later",
    "libsodium23": "ISC",
    "libsqlite3-0": "blessing",
    "libssl3": "Apache-2.0",
    "libstdc++6": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "libuuid1": "BSD-3-Clause",
    "minisign": "ISC",
    "zlib1g": "Zlib",
}
"""Packages of the build machine whose libraries or programs travel; each read in its ``copyright``."""

SOUNDFONT = "MIT"
"""FluidR3 GM, cut down; its text is the pack's ``band-licence.txt``."""

INTERPRETER = "PSF-2.0"
PROJECT = "Apache-2.0"

LICENCE_NAME = re.compile(r"(licen[cs]e|copying|notice|authors|.*third-party-programs)", re.IGNORECASE)
"""How files that hold a licence begin."""


def of_distribution(name: str, metadata: PackageMetadata) -> str | None:
    """SPDX expression of a Python package; None if nobody has said which."""
    said = "License-Expression" in metadata
    return metadata["License-Expression"] if said else PYTHON_PACKAGES.get(name)
