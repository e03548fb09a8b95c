"""What can go wrong with an order: which error is which kind, whose fault that is, and what follows.

Two tables, and nothing else decides. The engine child looks up its error in :data:`CAUSES` and sends the
kind; the daemon looks up the kind in :data:`FAILURES` and does what stands there. A musician's vocal is
moved out only where the fault lies in the recording or in what was asked for it.

The module loads no NumPy, as the daemon needs it.
"""

from __future__ import annotations

import errno
from collections.abc import Container
from enum import Enum
from typing import Literal, NamedTuple

from appliance.errors import BacklineError, InputError, NotSungError, OutputError, PackError, UsageError

Kind = Literal["unreadable", "decoder", "unusable", "changed", "disk", "room", "temporary", "pack", "bug"]

Fault = Literal["recording", "settings", "pack", "server", "none"]
"""Who can mend it: the musician (recording, settings) or the administrator (pack, server)."""


class Then(Enum):
    """What the daemon does with the job."""

    REJECT = "move the vocal out, with the reason"
    REJECT_ONCE_OLD = "try again while the file may still be a copy that goes on, then REJECT"
    RETRY_THEN_REJECT = "RETRY, and REJECT after work.attempts"
    TAKE_AGAIN = "end the job; the file settles anew"
    RETRY = "try again after a delay that doubles each time"
    RETRY_UNCOUNTED = "try again after a fixed delay; no attempt is counted"
    PAUSE_OUTBOX = "pause all work because of the disk; no attempt is counted"
    PAUSE_ENGINE = "end the engine and pause all work because of its pack; no attempt is counted"
    RETRY_THEN_QUARANTINE = "RETRY as after the death of an engine, and quarantine after work.attempts"


class Failure(NamedTuple):
    """A row of :data:`FAILURES`."""

    faults: tuple[Fault, ...]
    then: Then


FAILURES: dict[Kind, Failure] = {
    # the recording does not decode (yet)
    "unreadable": Failure(("recording",), Then.REJECT_ONCE_OLD),
    # the decoder did not survive it
    "decoder": Failure(("recording",), Then.RETRY_THEN_REJECT),
    # it decodes and cannot be accompanied, or not as asked
    "unusable": Failure(("recording", "settings"), Then.REJECT),
    # it is no longer what was taken
    "changed": Failure(("none",), Then.TAKE_AGAIN),
    # results cannot be written
    "disk": Failure(("server",), Then.PAUSE_OUTBOX),
    # this one needs more space than there is
    "room": Failure(("server",), Then.RETRY_UNCOUNTED),
    # something else that may pass
    "temporary": Failure(("server",), Then.RETRY),
    # the pack, or the decoder, does not work at all
    "pack": Failure(("pack", "server"), Then.PAUSE_ENGINE),
    # nobody foresaw it
    "bug": Failure(("server",), Then.RETRY_THEN_QUARANTINE),
}
"""What follows from each kind."""


class ChangedError(BacklineError):
    """The recording is not the one that was taken."""


class DecoderDiedError(BacklineError):
    """The decoder crashed, took too much memory or time, or answered nonsense."""


class DecoderUnfitError(OutputError):
    """The decoder dies here even of a second of silence."""


class NeedsSpaceError(BacklineError):
    """The decoded sound does not fit on the disk, or could not be written there."""

    def __init__(self, sentence: str, number: int = 0) -> None:
        super().__init__(sentence)
        self.errno = number


class Cause(NamedTuple):
    """A row of :data:`CAUSES`: an error, when it is raised, with which of the system's numbers."""

    error: type[BaseException]
    kind: Kind
    decoded: tuple[bool, ...] = (False, True)
    """Whether the recording had been decoded by then."""
    numbers: Container[int] = range(1 << 16)
    """Of errno; 0 stands for none."""


_GIVEN = range(1, 1 << 16)
_OF_THE_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)

CAUSES: tuple[Cause, ...] = (
    Cause(ChangedError, "changed"),
    Cause(NotSungError, "unusable"),
    Cause(InputError, "unreadable", decoded=(False,)),
    Cause(InputError, "unusable", decoded=(True,)),  # whatever else the rendering says of the decoded file
    Cause(UsageError, "unusable"),
    Cause(DecoderDiedError, "decoder"),
    Cause(DecoderUnfitError, "pack"),
    Cause(NeedsSpaceError, "disk", numbers=_GIVEN),
    Cause(NeedsSpaceError, "room"),
    Cause(OutputError, "unusable", numbers=_OF_THE_NAME),  # this file's name alone cannot be written
    Cause(OutputError, "disk", numbers=_GIVEN),
    Cause(OutputError, "room"),
    Cause(PackError, "pack"),
    Cause(OSError, "disk", numbers=_FULL),
    Cause(OSError, "temporary"),
    Cause(MemoryError, "temporary"),
    Cause(Exception, "bug"),
)
"""Which kind an error is; the first row that fits counts."""


def classify(error: Exception, *, decoded: bool) -> Kind:
    """The kind of an ``error`` that was raised before or after the recording was ``decoded``."""
    number = number_of(error)
    return next(
        cause.kind
        for cause in CAUSES
        if isinstance(error, cause.error) and decoded in cause.decoded and number in cause.numbers
    )


def number_of(error: BaseException) -> int:
    """The system's number (errno) for an error of disk or memory, 0 where there is none.

    OutputError says it in a sentence; its number is that of the error it came from.
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
