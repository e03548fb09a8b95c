"""Expected errors: a sentence for the user and an exit code for scripts.

Each one is a :class:`BacklineError`. Its text names the file, says what is wrong and what to do about it.
Any other exception that reaches the command line is a bug. Scripts may rely on the exit codes
(docs/options.md, "Exit codes").
"""

from __future__ import annotations


class BacklineError(Exception):
    """An expected error; ``str(error)`` is one sentence for the user.

    A command that ends with this error exits with ``exit_code``.
    """

    exit_code = 1


class UsageError(BacklineError):
    """An option or its value is invalid: an unknown style, a tempo of 0, an unreadable chart."""

    exit_code = 2


class InputError(BacklineError):
    """The recording cannot be used: it is missing, unreadable, damaged, not audio, or without singing."""

    exit_code = 3


class NotSungError(InputError):
    """The recording is intact, but nothing is sung in it."""


class PackError(BacklineError):
    """The pack is missing, damaged, altered, not signed by a trusted key, or of another schema version."""

    exit_code = 4


class OutputError(BacklineError):
    """A file cannot be written: no permission, no space, or something else has its name.

    ``errno`` is the system's error number, 0 if it gave none.
    """

    exit_code = 5
    errno = 0


class SignatureError(BacklineError):
    """A file is not signed by a trusted key, or was altered after signing."""


class ReleaseError(BacklineError):
    """A release cannot be installed, or does not work on this computer; the previous one stays active."""


class MachineError(BacklineError):
    """This computer cannot run Backline: its CPU or its C library is too old."""

    exit_code = 6


INTERRUPTED_EXIT_CODE = 130
"""Exit status after Ctrl-C or SIGTERM. Unfinished files have been removed by then."""
