"""``rsync``: by default it writes to a hidden name and renames; some options write to the final name."""

from __future__ import annotations

from pathlib import Path

from support.watch.clients import Between, Copy, cut_off, missing, run

SLOWLY_S = 2.5
"""Duration of a slow copy. rsync buffers up to 256 KiB, so a small file arrives at once."""


def whole(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """With default options."""
    run("rsync", vocal, inbox / name)


def slowly(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """With limited bandwidth."""
    run("rsync", _narrow(vocal), vocal, inbox / name)


def in_place(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """With limited bandwidth, written to the final name."""
    run("rsync", "--inplace", _narrow(vocal), vocal, inbox / name)


def in_place_reserved(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """The same with the space reserved first."""
    run("rsync", "--inplace", "--preallocate", _narrow(vocal), vocal, inbox / name)


def interrupted_in_place(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """Stopped in the middle under the final name, later resumed."""
    command = ["rsync", "--inplace", _narrow(vocal), str(vocal), str(inbox / name)]
    if cut_off(command, inbox / name, vocal):
        between()
        run("rsync", "--inplace", vocal, inbox / name)


def interrupted_partial(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """Stopped in the middle, with the partial file kept under the final name, later resumed."""
    command = ["rsync", "--partial", _narrow(vocal), str(vocal), str(inbox / name)]
    if cut_off(command, inbox / name, vocal):
        between()
        run("rsync", "--partial", "--append-verify", vocal, inbox / name)


def _narrow(vocal: Path) -> str:
    return f"--bwlimit={max(1, int(vocal.stat().st_size / 1024 / SLOWLY_S))}"


WAYS: dict[str, Copy] = {
    f"rsync_{way.__name__}": way
    for way in (whole, slowly, in_place, in_place_reserved, interrupted_in_place, interrupted_partial)
}


def lacking() -> str:
    """Why rsync cannot be used; '' if it can."""
    return missing("rsync")
