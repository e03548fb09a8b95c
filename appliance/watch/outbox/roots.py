"""The folders that results and vocals go to: whose they are, and whether they are still there."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from appliance.errors import OutputError, UsageError
from appliance.watch.disk.folders import WORK, Access, folder
from appliance.watch.disk.moving import PRIVATE
from appliance.watch.settings.config import Config, Folders


def access_of(config: Config) -> Access:
    """Permissions and group of what is published; raises UsageError where they cannot be given."""
    publish = config.publish
    try:
        access = Access.of(publish.file_mode, publish.folder_mode, publish.group)
        with folder(config.folders.outbox, WORK, make=PRIVATE) as work:
            if access.group_id is not None:
                os.fchown(work, -1, access.group_id)
    except KeyError as error:
        raise UsageError(f"publish.group: there is no group '{publish.group}' on this computer.") from error
    except PermissionError as error:
        raise UsageError(
            f"publish.group: this user may not give files in {config.folders.outbox} to "
            f"'{publish.group or 'its own group'}'; make it a member of the group and the folder's owner."
        ) from error
    except OSError as error:
        raise OutputError(f"{config.folders.outbox} cannot be used: {error.strerror}.") from error
    return access


def claim_outbox(config: Config) -> int:
    """A descriptor that holds the outbox's work folder for this daemon, as long as it is open.

    Two daemons with a state of their own would clear each other's work away. Raises OutputError.
    """
    with folder(config.folders.outbox, WORK, make=PRIVATE) as work:
        held = os.dup(work)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(held)
        raise OutputError(
            f"{config.folders.outbox} is the outbox of another 'backline watch'; give each its own."
        ) from error
    except OSError:
        pass  # some network shares know no locks
    return held


class Roots:
    """The folders of results as they were at the start, so that a share that goes away is noticed.

    Its mount point remains, and what would be written there would be hidden when the share is back.
    """

    def __init__(self, folders: Folders) -> None:
        self._known = {root: _identity(root) for root in (folders.outbox, folders.archive, folders.rejected)}

    def changed(self) -> str | None:
        """Which of them is not the same any more, in a sentence."""
        for root, known in self._known.items():
            if _identity(root) != known:
                return (
                    f"{root} is not the folder that it was when the service started: mount it again, "
                    "or restart the service if this is meant."
                )
        return None


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        found = root.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
