"""The folders outbox, archive and rejected: their permissions, their owner and whether they are mounted."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from appliance.errors import OutputError, UsageError
from appliance.watch.disk.folders import WORK, Access, folder
from appliance.watch.disk.moving import PRIVATE
from appliance.watch.settings.config import Config, Folders


def access_of(config: Config) -> Access:
    """Permissions and group of published files.

    Raises:
        UsageError: the group does not exist, or this user may not assign it.
        OutputError: the outbox cannot be used.
    """
    publish = config.publish
    try:
        access = Access.of(publish.file_mode, publish.folder_mode, publish.group)
        with folder(config.folders.outbox, WORK, make=PRIVATE) as work:
            if access.group_id is not None:
                os.fchown(work, -1, access.group_id)
    except KeyError as error:
        raise UsageError(
            f"publish.group: this computer has no group '{publish.group}'; create it or change the setting."
        ) from error
    except PermissionError as error:
        raise UsageError(
            f"publish.group: this user may not assign files in {config.folders.outbox} to the group "
            f"'{publish.group or 'its own group'}'; make it a member of the group and the folder's owner."
        ) from error
    except OSError as error:
        raise OutputError(
            f"{config.folders.outbox} cannot be used: {error.strerror}; check that it exists and is writable."
        ) from error
    return access


def claim_outbox(config: Config) -> int:
    """Lock the outbox's work folder for this daemon; returns a descriptor, which holds the lock while open.

    Two daemons with different state folders would remove each other's unfinished files. Raises OutputError if
    another daemon uses the outbox.
    """
    with folder(config.folders.outbox, WORK, make=PRIVATE) as work:
        held = os.dup(work)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(held)
        raise OutputError(
            f"{config.folders.outbox} is in use by another 'backline watch'; give each its own outbox."
        ) from error
    except OSError:
        pass  # some network shares do not support locks
    return held


class Roots:
    """Detects that outbox, archive or rejected was unmounted since the start.

    The mount point of a lost share remains as an empty folder. Files written there would be hidden when the
    share is mounted again.
    """

    def __init__(self, folders: Folders) -> None:
        self._known = {root: _identity(root) for root in (folders.outbox, folders.archive, folders.rejected)}

    def changed(self) -> str | None:
        """A sentence about a folder that is no longer the same; None if all are."""
        for root, known in self._known.items():
            if _identity(root) != known:
                return (
                    f"{root} is not the same folder as at the start of the service: mount it again, "
                    "or restart the service if the change is intended."
                )
        return None


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        found = root.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
