"""The paths of an installation below its prefix, ``/opt/backline`` by default.

=====================  ==============================================================================
``releases/VERSION``   a release; its files never change
``current``            link to the release that runs
``previous``           link to the release that ran before it
``unconfirmed``        link to the release to go back to; present while ``current`` is being tested
``packs/NAME-VERSION`` an installed pack; ``packs/reference`` links to the pack of the current release
``packs/active``       link to the pack that the service uses; ``packs/previous``: the one before it
``keys/*.pub``         trusted signing keys
``staging``            files of an installation in progress
=====================  ==============================================================================
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from appliance.files.durable import link_target

DEFAULT_PREFIX = Path("/opt/backline")
PREFIX_VARIABLE = "BACKLINE_PREFIX"
MANIFEST_NAME = "release.json"

_RELEASES = "releases"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths below ``prefix``. A prefix other than the default has its system folders below ``root/``."""

    prefix: Path = DEFAULT_PREFIX

    @staticmethod
    def here() -> Layout:
        """The layout below ``$BACKLINE_PREFIX``, by default :data:`DEFAULT_PREFIX`."""
        place = os.environ.get(PREFIX_VARIABLE)
        return Layout(Path(place)) if place else Layout()

    @property
    def root(self) -> Path:
        """The folder that holds ``etc``, ``usr``, ``run``, ``srv`` and ``var``."""
        return Path("/") if self.prefix == DEFAULT_PREFIX else self.prefix / "root"

    @property
    def releases(self) -> Path:
        return self.prefix / _RELEASES

    @property
    def current(self) -> Path:
        return self.prefix / "current"

    @property
    def previous(self) -> Path:
        return self.prefix / "previous"

    @property
    def unconfirmed(self) -> Path:
        return self.prefix / "unconfirmed"

    @property
    def keys(self) -> Path:
        return self.prefix / "keys"

    @property
    def packs(self) -> Path:
        return self.prefix / "packs"

    @property
    def active_pack(self) -> Path:
        return self.packs / "active"

    @property
    def previous_pack(self) -> Path:
        return self.packs / "previous"

    @property
    def staging(self) -> Path:
        return self.prefix / "staging"

    @property
    def lock(self) -> Path:
        return self.prefix / ".lock"

    @property
    def program(self) -> Path:
        """The command ``backline`` of the current release."""
        return self.prefix / "bin" / "backline"

    def release(self, version: str) -> Path:
        """The folder of a release."""
        return self.releases / version

    def installed(self) -> list[str]:
        """The versions of the installed releases, unsorted."""
        if not self.releases.is_dir():
            return []
        return [path.name for path in self.releases.iterdir() if (path / MANIFEST_NAME).is_file()]


def release_at(link: Path) -> str | None:
    """The version that ``current``, ``previous`` or ``unconfirmed`` links to; None without such a release."""
    folder, _, version = (link_target(link) or "").rpartition("/")
    if folder != _RELEASES or not (link / MANIFEST_NAME).is_file():
        return None
    return version


def link_to_release(version: str) -> str:
    """The target of such a link, relative to the prefix."""
    return f"{_RELEASES}/{version}"


def own_tree() -> Path | None:
    """The folder of the release that this program runs from; None in a checkout."""
    tree = Path(sys.prefix).resolve().parent
    return tree if (tree / MANIFEST_NAME).is_file() else None
