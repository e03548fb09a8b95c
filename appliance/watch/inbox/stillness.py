"""Checks whether a settled file may still be incomplete.

A copy can pause for longer than the settle time, and it can reserve its space first, so that the size is
final from the start. Three checks help against both:

- A *read lease* (``fcntl(2)``, F_SETLEASE) is refused while any process of this computer, including a file
  server, has the file open for writing. It needs the file's owner or CAP_LEASE, and a local file system: NFS
  and SMB clients refuse leases for other reasons.
- *Gaps*: space that was reserved but not written is a hole for SEEK_HOLE.
- A *tail of zeros*: where holes cannot be detected, a reserved file ends in zeros. A recording may also end
  in digital silence, so such a file only has to wait longer.
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
"""Number of zeros at the end that may mean a missing part. In a reserved file, the rest of a partly written
block is not a hole, so even a short tail counts; a recording with a few silent samples waits needlessly."""

LOCAL = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "tmpfs", "zfs", "bcachefs", "jfs", "reiserfs", "nilfs2"}
)
"""File systems that support read leases and holes."""


class Stillness(Enum):
    """Why a file may be incomplete; the value is shown in the status."""

    STILL = "nothing"
    CHANGED = "it has just changed"
    BUSY = "a program has it open for writing"
    EMPTY = "it is still empty"
    GAPS = "parts of it are not written yet"
    SILENT_TAIL = "it ends in digital silence and may not be written yet"
    ZEROS = "it ends in zeros and may not be written yet"


def stillness(descriptor: int, found: FoundFile) -> Stillness:
    """Check the open file that settled as ``found``. Raises OSError if it cannot be read."""
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
    """Seconds after its last change from which a file is accepted in spite of ``what``; may be infinite."""
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
    """Whether a process of this computer has the file open for writing; None if that cannot be determined."""
    try:
        # If a process opens the file while we hold the lease, the kernel sends us a signal: by default SIGIO,
        # which would kill us. SIGURG is ignored by default. That process waits until the lease is released.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def has_hole(descriptor: int, size: int) -> bool:
    """Whether part of the file was never written. Raises OSError."""
    try:
        return os.lseek(descriptor, 0, os.SEEK_HOLE) < size
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOTSUP):
            return False  # the file system does not report holes
        if error.errno == errno.ENXIO:
            return True  # the file has become shorter
        raise


def ends_in_zeros(descriptor: int, size: int) -> bool:
    """Whether the last bytes, at most :data:`TAIL_BYTES`, are all zero. Raises OSError."""
    count = min(size, TAIL_BYTES)
    tail = os.pread(descriptor, count, size - count)
    return not any(tail)


def filesystem(descriptor: int) -> str:
    """The type of the file system, such as ``ext4``; '' if the kernel does not tell."""
    # The device number does not suffice: btrfs has one per subvolume, and mountinfo does not list these.
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
