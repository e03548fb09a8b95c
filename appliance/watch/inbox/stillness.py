"""Whether somebody may still be writing to a file that stands still: three nets under the settle time.

A copy can pause for longer than any settle time, and it can reserve its space first, so that the size
is right from the start. What helps against both:

- A *read lease* (``fcntl(2)``, F_SETLEASE) is refused while any process of this computer, the file server
  included, has the file open for writing. It needs the file's owner or CAP_LEASE, and a local file system:
  NFS and SMB clients refuse leases for reasons of their own.
- *Gaps*: what was reserved and never written is a hole to SEEK_HOLE.
- A *tail of zeros*: what a reserved file looks like where holes cannot be seen. A recording may end in
  digital silence, too, so this is a question of time only.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from enum import Enum
from pathlib import Path

from appliance.watch.disk.found import FoundFile, same_file
from appliance.watch.settings.config import IntakeSettings

TAIL_BYTES = 32
"""So many zeros at the end may be a last piece that is missing. Of a reserved file the rest of a block that
was begun is no hole, so even a short tail counts; a recording with a few silent samples waits in vain."""

LOCAL = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "tmpfs", "zfs", "bcachefs", "jfs", "reiserfs", "nilfs2"}
)
"""File systems that know the writers of their files and the holes in them."""


class Stillness(Enum):
    """What speaks against taking a file now; the value is for the status."""

    STILL = "nothing"
    CHANGED = "it has just changed"
    BUSY = "a program has it open for writing"
    EMPTY = "it is empty so far"
    GAPS = "parts of it are not written yet"
    SILENT_TAIL = "it ends in digital silence and may not be written yet"
    ZEROS = "it ends in zeros and may not be written yet"


def stillness(descriptor: int, found: FoundFile) -> Stillness:
    """Look at an open file that stood still as ``found``. Raises OSError where it cannot be read."""
    if not same_file(found, os.fstat(descriptor), ctime=True):
        return Stillness.CHANGED
    local = filesystem(descriptor) in LOCAL
    if local and has_writer(descriptor):
        return Stillness.BUSY
    if found.size == 0:
        return Stillness.EMPTY
    if has_hole(descriptor, found.size):
        return Stillness.GAPS
    if ends_in_zeros(descriptor, found.size):
        return Stillness.SILENT_TAIL if local else Stillness.ZEROS
    return Stillness.STILL


def wait_s(what: Stillness, intake: IntakeSettings) -> float:
    """Seconds since its last change after which a file is taken in spite of ``what``; may be infinite."""
    return {
        Stillness.STILL: 0.0,
        Stillness.CHANGED: float("inf"),
        Stillness.BUSY: float("inf"),
        Stillness.EMPTY: intake.patience_s,
        Stillness.GAPS: intake.patience_s,
        Stillness.SILENT_TAIL: min(intake.silent_tail_s, intake.patience_s),
        Stillness.ZEROS: intake.patience_s,
    }[what]


def has_writer(descriptor: int) -> bool | None:
    """Whether a process of this computer has the file open for writing; None where one may not know."""
    try:
        # Whoever opens the file while the lease is held makes the kernel signal us: by default with SIGIO,
        # which kills. SIGURG is ignored unless somebody asks for it. The opener waits until we let go.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def has_hole(descriptor: int, size: int) -> bool:
    """Whether part of the file was never written."""
    try:
        return os.lseek(descriptor, 0, os.SEEK_HOLE) < size
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOTSUP):
            return False  # nothing is known of holes here
        if error.errno == errno.ENXIO:
            return True  # it is shorter than it was
        raise


def ends_in_zeros(descriptor: int, size: int) -> bool:
    """Whether the last bytes, at most :data:`TAIL_BYTES`, are all zero."""
    count = min(size, TAIL_BYTES)
    tail = os.pread(descriptor, count, size - count)
    return not any(tail)


def filesystem(descriptor: int) -> str:
    """Name of the file system's type, such as ``ext4``; empty where the kernel does not say."""
    # The device number would not do: btrfs has one for each subvolume, of which mountinfo knows nothing.
    try:
        info = Path(f"/proc/self/fdinfo/{descriptor}").read_text()
        mount = next(line.split()[1] for line in info.splitlines() if line.startswith("mnt_id:"))
        for line in Path("/proc/self/mountinfo").read_bytes().splitlines():
            fields = line.split()
            if fields[0] == mount.encode():
                return fields[fields.index(b"-") + 1].decode("ascii", "replace")
    except (OSError, StopIteration, ValueError, IndexError):
        pass
    return ""
