"""Hash a file in slices, so that the daemon's one thread can do other work in between."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from appliance.watch.disk.folders import opened
from appliance.watch.disk.found import FoundFile, same_file

SLICE_BYTES = 8 << 20
"""8 MiB: about ten milliseconds for a cached file."""


class Changed(Exception):
    """The file has changed since it was found."""


class Hasher:
    """SHA-256 of a file that must not change while it is hashed.

    It holds the file open until :meth:`close`. Raises OSError if the file cannot be opened or read.
    """

    def __init__(self, inbox: Path, found: FoundFile) -> None:
        self.found = found
        with opened(inbox, found.path) as descriptor:
            self.descriptor = os.dup(descriptor)
        self._digest = hashlib.sha256()
        self._offset = 0

    def step(self) -> str | None:
        """Read one slice; returns the hash in hex after the last one, else None. Raises Changed, OSError."""
        data = os.pread(self.descriptor, SLICE_BYTES, self._offset)
        self._digest.update(data)
        self._offset += len(data)
        if data and self._offset < self.found.size:
            return None
        if self._offset != self.found.size or not same_file(
            self.found, os.fstat(self.descriptor), ctime=True
        ):
            raise Changed(self.found.shown)
        return self._digest.hexdigest()

    def close(self) -> None:
        """Close the file."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
