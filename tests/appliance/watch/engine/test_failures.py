"""The table of failures, row by row: the kind of each error, its cause and what follows."""

from __future__ import annotations

import errno
import subprocess
import sys
from typing import get_args

import pytest

from appliance.errors import (
    InputError,
    MachineError,
    NotSungError,
    OutputError,
    PackError,
    UsageError,
)
from appliance.watch.engine.failures import (
    CAUSES,
    FAILURES,
    ChangedError,
    DecoderDiedError,
    DecoderKilledError,
    DecoderStuckError,
    DecoderUnfitError,
    Kind,
    NeedsSpaceError,
    Then,
    classify,
    number_of,
)


def said_of(cause: BaseException | None) -> OutputError:
    """An OutputError as :mod:`appliance.files.write_errors` raises it."""
    try:
        try:
            raise cause or ValueError("no number")
        except type(cause or ValueError()) as inner:
            raise OutputError("It cannot be written.") from inner
    except OutputError as error:
        return error


ERRORS: list[tuple[Exception, bool, Kind, int]] = [
    (ChangedError("gone"), False, "changed", 0),
    (InputError("cut short"), False, "unreadable", 0),
    (InputError("cut short"), True, "temporary", 0),
    (NotSungError("silence"), True, "unusable", 0),
    (UsageError("no such key"), False, "unusable", 0),
    (UsageError("no such key"), True, "unusable", 0),
    (DecoderDiedError("crashed"), False, "decoder", 0),
    (DecoderKilledError("killed"), False, "temporary", 0),
    (DecoderStuckError("hangs"), False, "stuck", 0),
    (NeedsSpaceError("too long"), False, "room", 0),
    (NeedsSpaceError("full", errno.ENOSPC), False, "disk", errno.ENOSPC),
    (NeedsSpaceError("no quota", errno.EINVAL), False, "disk", errno.EINVAL),
    (OutputError("needs 3 GB"), True, "room", 0),
    (said_of(None), True, "room", 0),
    (said_of(OSError(errno.ENOSPC, "full")), True, "disk", errno.ENOSPC),
    (said_of(OSError(errno.EACCES, "no")), True, "disk", errno.EACCES),
    (said_of(OSError(errno.ENAMETOOLONG, "long")), True, "unusable", errno.ENAMETOOLONG),
    (said_of(OSError(errno.EINVAL, "odd")), True, "unusable", errno.EINVAL),
    (said_of(OSError(errno.EILSEQ, "odd")), True, "unusable", errno.EILSEQ),
    (PackError("altered"), True, "pack", 0),
    (DecoderUnfitError("not even silence"), False, "pack", 0),
    *((OSError(n, "full"), True, "disk", n) for n in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)),
    (OSError(errno.EIO, "lost"), True, "temporary", errno.EIO),
    (PermissionError(errno.EACCES, "no"), False, "temporary", errno.EACCES),
    (MemoryError(), True, "temporary", errno.ENOMEM),
    (ZeroDivisionError(), True, "bug", 0),
    (MachineError("too old"), True, "bug", 0),
]


@pytest.mark.parametrize(("error", "decoded", "kind", "number"), ERRORS, ids=lambda value: repr(value))
def test_which_kind_an_error_is(error: Exception, decoded: bool, kind: Kind, number: int) -> None:
    assert (classify(error, decoded=decoded), number_of(error)) == (kind, number)


def test_no_row_of_causes_is_untested_or_unreachable() -> None:
    met = set()
    for error, decoded, _, number in ERRORS:
        met.add(
            next(
                row
                for row, cause in enumerate(CAUSES)
                if isinstance(error, cause.error) and decoded in cause.decoded and number in cause.numbers
            )
        )
    assert met == set(range(len(CAUSES)))


WHAT_FOLLOWS: dict[Kind, tuple[tuple[str, ...], Then]] = {
    "unreadable": (("recording",), Then.REJECT_ONCE_OLD),
    "decoder": (("recording",), Then.RETRY_THEN_REJECT),
    "unusable": (("recording", "settings"), Then.REJECT),
    "changed": (("none",), Then.TAKE_AGAIN),
    "disk": (("server",), Then.PAUSE_OUTBOX),
    "room": (("server",), Then.RETRY_UNCOUNTED),
    "temporary": (("server",), Then.RETRY),
    "stuck": (("server",), Then.RETRY_THEN_QUARANTINE),
    "pack": (("pack", "server"), Then.PAUSE_ENGINE),
    "bug": (("server",), Then.RETRY_THEN_QUARANTINE),
}


@pytest.mark.parametrize("kind", get_args(Kind))
def test_what_follows_from_a_kind(kind: Kind) -> None:
    assert FAILURES[kind] == WHAT_FOLLOWS[kind]


def test_once_decoded_only_the_vocal_check_and_what_was_asked_reject() -> None:
    rejecting = (Then.REJECT, Then.REJECT_ONCE_OLD, Then.RETRY_THEN_REJECT)
    after = {
        cause.error for cause in CAUSES if True in cause.decoded and FAILURES[cause.kind].then in rejecting
    }
    assert after == {NotSungError, UsageError, DecoderDiedError, OutputError}  # the last: only of its name


def test_only_what_the_musician_can_mend_is_rejected() -> None:
    rejecting = (Then.REJECT, Then.REJECT_ONCE_OLD, Then.RETRY_THEN_REJECT)
    for kind, failure in FAILURES.items():
        assert (failure.then in rejecting) == bool({"recording", "settings"} & set(failure.faults)), kind


def test_the_daemon_needs_no_numpy_for_it() -> None:
    code = "import sys, appliance.watch.service.daemon; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
