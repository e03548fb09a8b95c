"""Tracks which files have settled: a pure state object; scans and clock are passed in.

A file has settled when two scans at least ``settle_s`` apart, and all scans between them, found the same
device, inode, size, mtime and ctime. Only changes of these values matter, not the values themselves, so wrong
clocks and strange dates have no effect. The same rule applies to files found at the start. The clock is
monotonic, so setting the computer's clock has no effect either.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from appliance.watch.disk.found import FoundFile
from appliance.watch.inbox.companions import Companions
from appliance.watch.inbox.scan import Scan


@dataclass(slots=True)
class _Seen:
    """A file, the time of its last change, and the time at which it is offered (None: never)."""

    found: FoundFile
    since_s: float
    offer_s: float | None


class Tracker:
    """Tracks the files of the last scan.

    :meth:`observe` offers a settled file at each scan until :meth:`handled` or :meth:`postpone` is called for
    it. So no file is lost if the work on it fails.
    """

    def __init__(self, settle_s: float) -> None:
        self.settle_s = settle_s
        self._seen: dict[bytes, _Seen] = {}
        self.companions = Companions(Scan((), (), False, 0.0))
        """Of the last scan."""
        self._doubtful: set[FoundFile] = set()

    def observe(self, now_s: float, scan: Scan, leaving: Collection[bytes] = ()) -> list[FoundFile]:
        """Process a scan; returns the settled vocals that are not handled, the longest unchanged first.

        ``leaving`` are paths of vocals that are being moved. After a scan without the sentinel, all files
        must settle again.
        """
        before = self._seen
        self._seen = {}
        self.companions = Companions(scan, self._doubtful, leaving)
        self._doubtful = self.companions.with_rivals()
        if not scan.sentinel:
            return []
        for found in (*scan.companions, *scan.midi):
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
        """Stop offering this file, which the journal has, unless it changes."""
        if (seen := self._match(found)) is not None:
            seen.offer_s = None

    def postpone(self, found: FoundFile, now_s: float) -> None:
        """Offer this file again after another ``settle_s`` seconds."""
        if (seen := self._match(found)) is not None:
            seen.offer_s = now_s + self.settle_s

    def offer_again(self, path: bytes) -> None:
        """Offer the file at this path again, although it was handled."""
        if (seen := self._seen.get(path)) is not None and seen.offer_s is None:
            seen.offer_s = seen.since_s + self.settle_s

    def has_settled(self, path: bytes, now_s: float) -> bool:
        """Whether the file at this path, vocal or companion, was in the last scan and has settled."""
        seen = self._seen.get(path)
        return seen is not None and now_s - seen.since_s >= self.settle_s

    def found(self, path: bytes) -> FoundFile | None:
        """The file at this path in the last scan."""
        seen = self._seen.get(path)
        return None if seen is None else seen.found

    def age_s(self, path: bytes, now_s: float) -> float:
        """Seconds since the file appeared or changed; 0 if it is missing."""
        seen = self._seen.get(path)
        return 0.0 if seen is None else now_s - seen.since_s

    def due_s(self) -> float | None:
        """The earliest time at which a file may have settled; None if none is settling."""
        return min((seen.offer_s for seen in self._seen.values() if seen.offer_s is not None), default=None)

    def settling(self) -> int:
        """Number of vocals that are not handled yet."""
        return sum(seen.offer_s is not None for seen in self._seen.values())

    def _match(self, found: FoundFile) -> _Seen | None:
        """The entry of ``found`` if it has not changed since."""
        return None if _new(self._seen, found) else self._seen[found.path]


def _new(seen: dict[bytes, _Seen], found: FoundFile) -> bool:
    before = seen.get(found.path)
    return before is None or before.found != found
