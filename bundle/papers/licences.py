"""Collects the licence texts of all parts in one folder of the release."""

from __future__ import annotations

import shutil
from pathlib import Path

from bundle.papers.parts import Part


def folder_name(part: Part) -> str:
    """The folder below ``share/licences`` with the texts of ``part``."""
    return f"{part.name}-{part.version}".replace(":", "_").replace("~", "_")


def collect_licences(parts: list[Part], folder: Path) -> None:
    """Copy the licence texts of each of ``parts`` to a subfolder of ``folder``.

    Texts of one part that share a name (NumPy bundles several LICENSE files) are numbered.
    """
    for part in parts:
        target = folder / folder_name(part)
        target.mkdir(parents=True)
        for text in part.texts:
            name, number = text.name, 2
            while (target / name).exists():
                name, number = f"{text.stem}-{number}{text.suffix}", number + 1
            shutil.copyfile(text, target / name)
            (target / name).chmod(0o644)
