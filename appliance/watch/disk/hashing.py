"""The hash of a file, a slice at a time, so that a daemon of one thread stays awake meanwhile."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from appliance.watch.disk.folders import opened
from appliance.watch.disk.found import FoundFile, same_file

SLICE_BYTES = 8 << 20
"""About ten milliseconds of work on a file that is in memory."""


class Changed(Exception):
    """The file is no longer what was found."""


class Hasher:
    """SHA-256 of a file that must stay exactly as it was found, from the first byte to the last.

    Holds the file open; close it. Raises OSError where the file cannot be opened or read.
    """

    def __init__(self, inbox: Path, found: FoundFile) -> None:
        self.found = found
        with opened(inbox, found.path) as descriptor:
            self.descriptor = os.dup(descriptor)
        self._digest = hashlib.sha256()
        self._offset = 0

    def step(self) -> str | None:
        """Read one slice; the hash in hex once all is read. Raises Changed."""
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
