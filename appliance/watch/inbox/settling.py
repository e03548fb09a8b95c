"""Which files stand still: a pure object; scans and the clock are passed in.

A file has settled when two looks at least ``settle_s`` apart, and every look between them, saw the same
device, inode, size, mtime and ctime. What its times *are* does not matter: a clock that is wrong, a
future or an ancient date change nothing; only a change does. Files found at the start obey the same rule.
The clock is monotonic, so setting the computer's clock does nothing either.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.watch.disk.found import FoundFile
from appliance.watch.inbox.scan import Scan


@dataclass(slots=True)
class _Seen:
    """A file as last seen, since when it looks so, and when it is to be offered (never: None)."""

    found: FoundFile
    since_s: float
    offer_s: float | None


class Tracker:
    """Remembers every file of the last look.

    Whoever gets a file from :meth:`observe` gets it again at every look until it says :meth:`handled`
    or :meth:`not_yet`; so nothing is lost if the work on it fails.
    """

    def __init__(self, settle_s: float) -> None:
        self.settle_s = settle_s
        self._seen: dict[bytes, _Seen] = {}
        self._companions: dict[bytes, FoundFile] = {}

    def observe(self, now_s: float, scan: Scan) -> list[FoundFile]:
        """The vocals that stand still and are not handled, longest still first.

        A look without its sentinel says nothing about the files, so all must settle anew.
        """
        before = self._seen
        self._seen = {}
        self._companions = {_folded(found.path): found for found in scan.companions}
        if not scan.sentinel:
            return []
        for found in scan.companions:
            self._seen[found.path] = _Seen(found, now_s, None) if _new(before, found) else before[found.path]
        for found in scan.found:
            offer_s = now_s + self.settle_s
            self._seen[found.path] = (
                _Seen(found, now_s, offer_s) if _new(before, found) else before[found.path]
            )
        ready = [
            seen
            for found in scan.found
            if (seen := self._seen[found.path]).offer_s is not None
            and seen.offer_s <= now_s
            and now_s - seen.since_s >= self.settle_s
        ]
        ready.sort(key=lambda seen: (seen.since_s, seen.found.mtime_ns, seen.found.path))
        return [seen.found for seen in ready]

    def handled(self, found: FoundFile) -> None:
        """The journal has this file: it is offered again only if it changes."""
        if (seen := self._match(found)) is not None:
            seen.offer_s = None

    def not_yet(self, found: FoundFile, now_s: float) -> None:
        """Something speaks against this file: it is offered again when it has had time to change."""
        if (seen := self._match(found)) is not None:
            seen.offer_s = now_s + self.settle_s

    def again(self, path: bytes) -> None:
        """Forget that the file of this path was handled."""
        if (seen := self._seen.get(path)) is not None and seen.offer_s is None:
            seen.offer_s = seen.since_s + self.settle_s

    def still(self, path: bytes, now_s: float) -> bool:
        """Whether the file of this path, vocal or companion, was there at the last look and stands still."""
        seen = self._seen.get(path)
        return seen is not None and now_s - seen.since_s >= self.settle_s

    def found(self, path: bytes) -> FoundFile | None:
        """The file of this path as the last look saw it."""
        seen = self._seen.get(path)
        return None if seen is None else seen.found

    def companion(self, path: bytes) -> FoundFile | None:
        """The companion of this path at the last look; its ending may be written in capitals."""
        return self._companions.get(_folded(path))

    def age_s(self, path: bytes, now_s: float) -> float:
        """Seconds since the file was seen to change or appear; 0 for one that is not there."""
        seen = self._seen.get(path)
        return 0.0 if seen is None else now_s - seen.since_s

    def due_s(self) -> float | None:
        """When a look could next find something settled; None if nothing is on its way."""
        return min((seen.offer_s for seen in self._seen.values() if seen.offer_s is not None), default=None)

    def settling(self) -> int:
        """How many files are not handled yet, companions not counted."""
        return sum(seen.offer_s is not None for seen in self._seen.values())

    def _match(self, found: FoundFile) -> _Seen | None:
        return None if _new(self._seen, found) else self._seen[found.path]


def _folded(path: bytes) -> bytes:
    dot = path.rfind(b".")
    return path[:dot] + path[dot:].lower()


def _new(seen: dict[bytes, _Seen], found: FoundFile) -> bool:
    before = seen.get(found.path)
    return before is None or before.found != found
