"""The tables of failures: the kind of each error, whose fault it is, and what follows.

The engine process looks up its error in :data:`CAUSES` and sends the kind. The daemon looks up the kind in
:data:`FAILURES` and does what it says. A vocal is rejected only if the fault lies in the recording or in its
settings. After decoding only the vocal check (:class:`NotSungError`) can find a fault in the recording: all
other errors concern files of the server.

The module must not import NumPy, because the daemon uses it.
"""

from __future__ import annotations

import errno
from collections.abc import Container
from enum import Enum
from typing import Literal, NamedTuple

from appliance.errors import BacklineError, InputError, NotSungError, OutputError, PackError, UsageError

Kind = Literal[
    "unreadable", "decoder", "unusable", "changed", "disk", "room", "temporary", "stuck", "pack", "bug"
]

Fault = Literal["recording", "settings", "pack", "server", "none"]
"""Where the fault lies. The musician can correct recording and settings, the administrator the rest."""


class Then(Enum):
    """What the daemon does with the job."""

    REJECT = "move the vocal to rejected, with the reason"
    REJECT_ONCE_OLD = "retry while the file may be an unfinished copy, then REJECT"
    RETRY_THEN_REJECT = "RETRY, and REJECT after work.attempts failures of this kind"
    TAKE_AGAIN = "end the job; the file is offered again"
    RETRY = "retry after a delay that doubles each time"
    RETRY_UNCOUNTED = "retry after a fixed delay; no attempt is counted"
    PAUSE_OUTBOX = "pause all work because of the disk; no attempt is counted"
    PAUSE_ENGINE = "end the engine and pause all work because of its pack; no attempt is counted"
    RETRY_THEN_QUARANTINE = "RETRY as after an engine crash, and quarantine after work.attempts"


class Failure(NamedTuple):
    """A row of :data:`FAILURES`."""

    faults: tuple[Fault, ...]
    then: Then


FAILURES: dict[Kind, Failure] = {
    # the recording does not decode (yet)
    "unreadable": Failure(("recording",), Then.REJECT_ONCE_OLD),
    # the decoder crashed on it
    "decoder": Failure(("recording",), Then.RETRY_THEN_REJECT),
    # it decodes, but cannot be accompanied, or not as requested
    "unusable": Failure(("recording", "settings"), Then.REJECT),
    # the file is not the queued one
    "changed": Failure(("none",), Then.TAKE_AGAIN),
    # results cannot be written
    "disk": Failure(("server",), Then.PAUSE_OUTBOX),
    # this vocal needs more space than there is
    "room": Failure(("server",), Then.RETRY_UNCOUNTED),
    # another temporary error
    "temporary": Failure(("server",), Then.RETRY),
    # decoding hangs
    "stuck": Failure(("server",), Then.RETRY_THEN_QUARANTINE),
    # the pack, or the decoder, does not work at all
    "pack": Failure(("pack", "server"), Then.PAUSE_ENGINE),
    # an unexpected exception
    "bug": Failure(("server",), Then.RETRY_THEN_QUARANTINE),
}
"""What follows from each kind."""


class ChangedError(BacklineError):
    """The recording is not the queued one."""


class DecoderDiedError(BacklineError):
    """The decoder crashed, exceeded its limits or gave an invalid answer."""


class DecoderKilledError(DecoderDiedError):
    """The decoder was killed from outside, for example by the kernel when memory ran out."""


class DecoderStuckError(DecoderDiedError):
    """The decoder did not finish in time although it used little CPU time: the disk or the computer hung."""


class DecoderUnfitError(OutputError):
    """The decoder fails on this computer even for a second of silence."""


class NeedsSpaceError(BacklineError):
    """The decoded sound does not fit on the disk or could not be written."""

    def __init__(self, sentence: str, number: int = 0) -> None:
        super().__init__(sentence)
        self.errno = number


class Cause(NamedTuple):
    """A row of :data:`CAUSES`: an error type, its kind, and the conditions of the row."""

    error: type[BaseException]
    kind: Kind
    decoded: tuple[bool, ...] = (False, True)
    """Whether the row applies before and after the recording was decoded."""
    numbers: Container[int] = range(1 << 16)
    """The values of errno to which the row applies; 0 means none."""


_GIVEN = range(1, 1 << 16)
_OF_THE_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)

CAUSES: tuple[Cause, ...] = (
    Cause(ChangedError, "changed"),
    Cause(NotSungError, "unusable"),
    Cause(InputError, "unreadable", decoded=(False,)),
    Cause(InputError, "temporary", decoded=(True,)),  # our decoded copy; the recording itself was read whole
    Cause(UsageError, "unusable"),
    Cause(DecoderKilledError, "temporary"),
    Cause(DecoderStuckError, "stuck"),
    Cause(DecoderDiedError, "decoder"),
    Cause(DecoderUnfitError, "pack"),
    Cause(NeedsSpaceError, "disk", numbers=_GIVEN),
    Cause(NeedsSpaceError, "room"),
    Cause(OutputError, "unusable", numbers=_OF_THE_NAME),  # only this file's name cannot be written
    Cause(OutputError, "disk", numbers=_GIVEN),
    Cause(OutputError, "room"),
    Cause(PackError, "pack"),
    Cause(OSError, "disk", numbers=_FULL),
    Cause(OSError, "temporary"),
    Cause(MemoryError, "temporary"),
    Cause(Exception, "bug"),
)
"""The kind of each error; the first matching row counts."""


def classify(error: Exception, *, decoded: bool) -> Kind:
    """The kind of ``error``; ``decoded`` tells whether the recording had been decoded before."""
    number = number_of(error)
    return next(
        cause.kind
        for cause in CAUSES
        if isinstance(error, cause.error) and decoded in cause.decoded and number in cause.numbers
    )


def number_of(error: BaseException) -> int:
    """The errno of a disk or memory error, 0 if it has none.

    For an OutputError it is the errno of the exception that caused it.
    """
    if isinstance(error, OutputError):
        return _number_behind(error)
    if isinstance(error, OSError | MemoryError):
        return getattr(error, "errno", None) or errno.ENOMEM
    return error.errno if isinstance(error, NeedsSpaceError) else 0


def _number_behind(error: BaseException) -> int:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError | OutputError) and seen.errno:
            return seen.errno
        seen = seen.__cause__ or seen.__context__
    return 0
