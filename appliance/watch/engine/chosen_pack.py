"""Which pack the engine is to load: the one that the settings name, or, where that does not work, another.

The settings name a folder or a link to one, and either may change while the service runs. So where it leads
is looked up before each job; a pack that was replaced in its place shows by its manifest. People expect
service: a new pack that does not load is refused and said aloud, and the one before goes on.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

_MANIFEST_NAME = "pack.json"
"""As in :mod:`appliance.packs.manifest`, which would bring numpy into the daemon."""

_ACTIVE, _PREVIOUS, _REFERENCE = "active", "previous", "reference"
"""Names of an installation's links to packs (:mod:`appliance.releases.layout`)."""

MOST_DEATHS = 2
"""An engine that dies so often while it loads a pack says that the pack does not work."""


class FoundPack(NamedTuple):
    """A pack as it lies there: its real folder, and what tells its manifest from another one."""

    folder: str
    manifest: tuple[int, int, int, int]
    """Device, inode, size and time of change in ns; zeros where there is none."""


def found_at(path: Path) -> FoundPack:
    """The pack that ``path`` leads to now, whatever it is."""
    folder = os.path.realpath(path)
    try:
        facts = Path(folder, _MANIFEST_NAME).stat()
    except OSError:
        return FoundPack(folder, (0, 0, 0, 0))
    return FoundPack(folder, (facts.st_dev, facts.st_ino, facts.st_size, facts.st_ctime_ns))


class ChosenPack:
    """The pack of the engine that runs, and what is to follow it."""

    def __init__(self, wanted: Path) -> None:
        self.wanted = wanted
        self._loaded: FoundPack | None = None
        self._good: FoundPack | None = None
        self._seen: FoundPack | None = None
        self._refused: dict[FoundPack, str] = {}
        """What does not work, and why, since the settings lead to ``_seen``."""
        self._deaths = 0

    @property
    def trouble(self) -> str:
        """Why another pack plays than the settings name; empty where it is that one."""
        sentence = self._refused.get(found_at(self.wanted), "")
        if not sentence or self._loaded is None:
            return ""
        return f"{self._loaded.folder} plays instead of {self.wanted}. {sentence}"

    @property
    def stale(self) -> bool:
        """Whether the engine that runs has another pack than it should have."""
        return self._loaded is not None and self._loaded != self._next()

    def folder(self) -> Path:
        """The folder that an engine is to load now."""
        self._loaded = self._next()
        return Path(self._loaded.folder)

    def works(self) -> None:
        """The engine that loaded it is ready."""
        self._good, self._deaths = self._loaded, 0

    def refuse(self, sentence: str) -> bool:
        """It does not work, and why; whether there is another one to go on with."""
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
        """The engine died while it loaded the pack; whether another one is to be tried now."""
        if self._loaded is None or self._loaded == self._good:
            return False
        self._deaths += 1
        return self._deaths >= MOST_DEATHS and self.refuse(f"The engine {why} while it loaded this pack.")

    def reconsider(self, wanted: Path) -> None:
        """The settings were read again: whatever was refused may be tried once more."""
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
