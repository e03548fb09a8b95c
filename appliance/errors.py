"""What can go wrong, as sentences for a musician and exit codes for a script.

Every error that Backline expects is a :class:`BacklineError`: its text names the file, says what is
wrong and what to do about it. Anything else that escapes is a bug. The exit codes are part of the
command's contract (docs/options.md, "Exit codes").
"""

from __future__ import annotations


class BacklineError(Exception):
    """An expected failure; ``str(error)`` is one sentence for the user.

    ``exit_code`` is the status of the command that failed this way.
    """

    exit_code = 1


class UsageError(BacklineError):
    """An option or its value makes no sense (unknown style, 0 bpm, unreadable chart)."""

    exit_code = 2


class InputError(BacklineError):
    """The recording cannot be used: missing, unreadable, not audio, damaged, or nothing is sung."""

    exit_code = 3


class PackError(BacklineError):
    """The pack is missing, damaged, altered or of another schema version."""

    exit_code = 4


class OutputError(BacklineError):
    """The result cannot be written: no permission, no space, or a name is taken by something else.

    ``errno`` is the system's number for it, 0 where it gave none.
    """

    exit_code = 5
    errno = 0


class SignatureError(BacklineError):
    """A file is not signed by a key that this computer trusts, or was altered since."""


class ReleaseError(BacklineError):
    """A release cannot be installed, or does not work here; the one before goes on."""


class MachineError(BacklineError):
    """This machine cannot run the appliance: processor, memory or C library too old."""

    exit_code = 6


INTERRUPTED_EXIT_CODE = 130
"""Exit status after Ctrl-C or SIGTERM: nothing half-written is left behind."""
