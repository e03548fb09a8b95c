"""The folder that keeps what was downloaded and compiled, by its hash; it may be deleted at any time."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

VARIABLE = "BACKLINE_BUILD_CACHE"


def cache_folder(build: Path) -> Path:
    """The folder that ``$BACKLINE_BUILD_CACHE`` names; without it, ``build/cache``."""
    return Path(os.environ.get(VARIABLE) or build / "cache").absolute()


def kept(folder: Path, make: Callable[[Path], None]) -> Path:
    """``folder``, made by ``make`` if it does not exist; it appears complete or not at all.

    ``make`` fills the new folder that it is called with.
    """
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
        try:
            made = aside / "made"
            made.mkdir()
            make(made)
            made.rename(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return folder
