"""Chooses the pack that the engine loads: the one of the settings, or another if that does not work.

The settings name a folder or a link to one, and both may change while the service runs. So the link is
followed before each job, and a pack that was replaced in place is recognised by its manifest. A new pack that
does not load is rejected and logged, and the previous one stays in use.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

_MANIFEST_NAME = "pack.json"
"""As in :mod:`appliance.packs.manifest`, which would import NumPy into the daemon."""

_ACTIVE, _PREVIOUS, _REFERENCE = "active", "previous", "reference"
"""Names of an installation's links to packs (:mod:`appliance.releases.layout`)."""

MAX_DEATHS = 2
"""Number of engine crashes while loading a pack after which the pack is rejected."""


class FoundPack(NamedTuple):
    """A pack as it was found: its real folder, and the identity of its manifest."""

    folder: str
    manifest: tuple[int, int, int, int]
    """Device, inode, size and ctime in nanoseconds; zeros without a manifest."""


def found_at(path: Path) -> FoundPack:
    """The pack at ``path``, with links followed."""
    folder = os.path.realpath(path)
    try:
        facts = Path(folder, _MANIFEST_NAME).stat()
    except OSError:
        return FoundPack(folder, (0, 0, 0, 0))
    return FoundPack(folder, (facts.st_dev, facts.st_ino, facts.st_size, facts.st_ctime_ns))


class ChosenPack:
    """The pack of the running engine, and the next one to load."""

    def __init__(self, wanted: Path) -> None:
        self.wanted = wanted
        self._loaded: FoundPack | None = None
        self._good: FoundPack | None = None
        self._seen: FoundPack | None = None
        self._refused: dict[FoundPack, str] = {}
        """Packs that do not work, with the reason; reset when the pack of the settings changes."""
        self._deaths = 0

    @property
    def trouble(self) -> str:
        """Why the engine uses another pack than the settings name; '' if it does not."""
        sentence = self._refused.get(found_at(self.wanted), "")
        if not sentence or self._loaded is None:
            return ""
        return f"{self._loaded.folder} is used instead of {self.wanted}. {sentence}"

    @property
    def stale(self) -> bool:
        """Whether the running engine should load another pack."""
        return self._loaded is not None and self._loaded != self._next()

    def folder(self) -> Path:
        """The folder of the pack that a new engine loads."""
        self._loaded = self._next()
        return Path(self._loaded.folder)

    def accept(self) -> None:
        """The engine is ready, so its pack works."""
        self._good, self._deaths = self._loaded, 0

    def refuse(self, sentence: str) -> bool:
        """Reject the loaded pack; returns whether there is another one to try."""
        if self._loaded is None:
            return False
        before = self._loaded
        self._refused[before] = sentence
        self._deaths = 0
        if self._next() != before:
            return True
        del self._refused[before]
        return False

    def died(self, why: str) -> bool:
        """The engine crashed. Returns whether another pack must be tried, if it was loading one."""
        if self._loaded is None or self._loaded == self._good:
            return False
        self._deaths += 1
        return self._deaths >= MAX_DEATHS and self.refuse(f"The engine {why} while it loaded this pack.")

    def reconsider(self, wanted: Path) -> None:
        """Use new settings; rejected packs may be tried again."""
        self.wanted, self._refused = wanted, {}

    def _next(self) -> FoundPack:
        wanted = found_at(self.wanted)
        if wanted != self._seen:
            self._seen, self._refused = wanted, {}
        if wanted not in self._refused:
            return wanted
        others = [] if self._good is None else [found_at(Path(self._good.folder))]
        if self.wanted.name == _ACTIVE:
            others += [found_at(self.wanted.with_name(name)) for name in (_PREVIOUS, _REFERENCE)]
        usable = [found for found in others if any(found.manifest) and found not in self._refused]
        return usable[0] if usable else wanted
