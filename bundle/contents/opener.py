"""Puts the opener into the release, from where the ``.run`` file takes it."""

from __future__ import annotations

import shutil
from pathlib import Path

from bundle.compiled.build import Opener
from bundle.compiled.opener import OPENER, PROBE

FOLDER = "libexec"
"""Its folder in the release."""


def copy_opener(opener: Opener, tree: Path) -> None:
    """Copy the opener and the probe of the C library into the release ``tree``."""
    (tree / FOLDER).mkdir()
    for name in (OPENER, PROBE):
        shutil.copy(opener.folder / name, tree / FOLDER / name)
