"""Where an installed appliance lies, and which release runs.

=====================  ========================================================================
``releases/VERSION``   a release, never changed
``current``            leads to the one that runs
``previous``           leads to the one before
``unconfirmed``        leads to the one to return to, while ``current`` has not proved itself
``packs/NAME-VERSION`` an installed pack; ``packs/reference`` is that of the current release
``packs/active``       leads to the pack that the service plays; ``packs/previous`` to the one before
``keys/*.pub``         whose signatures count
``staging``            what is being brought in; nothing in it is ever used
=====================  ========================================================================
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
    """The places below ``prefix``, and those of the system, which another prefix has below ``root/``."""

    prefix: Path = DEFAULT_PREFIX

    @staticmethod
    def here() -> Layout:
        """As ``$BACKLINE_PREFIX`` says."""
        place = os.environ.get(PREFIX_VARIABLE)
        return Layout(Path(place)) if place else Layout()

    @property
    def root(self) -> Path:
        """The root of the system's folders."""
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
        """The command of whatever release is current."""
        return self.prefix / "bin" / "backline"

    def release(self, version: str) -> Path:
        """The folder of a release."""
        return self.releases / version

    def installed(self) -> list[str]:
        """The versions that lie there, in no order."""
        if not self.releases.is_dir():
            return []
        return [path.name for path in self.releases.iterdir() if (path / MANIFEST_NAME).is_file()]


def release_at(link: Path) -> str | None:
    """The version that ``current``, ``previous`` or ``unconfirmed`` leads to; None where it leads nowhere."""
    folder, _, version = (link_target(link) or "").rpartition("/")
    if folder != _RELEASES or not (link / MANIFEST_NAME).is_file():
        return None
    return version


def link_to_release(version: str) -> str:
    """What those links hold."""
    return f"{_RELEASES}/{version}"


def own_tree() -> Path | None:
    """The release that this very program runs from; None for a checkout."""
    tree = Path(sys.prefix).resolve().parent
    return tree if (tree / MANIFEST_NAME).is_file() else None
