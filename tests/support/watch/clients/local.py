"""``cp``, ``mv``, ``dd`` and ``fallocate`` on this computer."""

from __future__ import annotations

import tempfile
from pathlib import Path

from support.watch.clients import Between, Copy, fed, missing, run

OTHER_FILE_SYSTEM = Path("/dev/shm")


def cp(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """A plain copy."""
    run("cp", vocal, inbox / name)


def cp_slowly(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """A copy from a slow source."""
    fed(["cp", "/dev/stdin", str(inbox / name)], vocal, between)


def cp_interrupted(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """Killed in the middle, then restarted from the beginning."""
    fed(["cp", "/dev/stdin", str(inbox / name)], vocal, between, share=0.6)
    between()
    fed(["cp", "/dev/stdin", str(inbox / name)], vocal, between)


def dd_resumed(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """Killed in the middle; then the rest is appended."""
    target = inbox / name
    fed(["dd", f"of={target}", "bs=4k", "status=none"], vocal, between, share=0.6)
    between()
    there = target.stat().st_size if target.exists() else 0
    where = (f"skip={there}", f"seek={there}", "iflag=skip_bytes", "oflag=seek_bytes", "conv=notrunc")
    run("dd", f"if={vocal}", f"of={target}", *where, "status=none")


def reserved(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """The space is reserved first, the bytes are written later."""
    target = inbox / name
    run("fallocate", "-l", str(vocal.stat().st_size), target)
    between()
    fed(["dd", f"of={target}", "bs=4k", "conv=notrunc", "status=none"], vocal, between)


def reserved_and_interrupted(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """The space is reserved first; then the copy is killed in the middle and repeated."""
    target = inbox / name
    run("fallocate", "-l", str(vocal.stat().st_size), target)
    command = ["dd", f"of={target}", "bs=4k", "conv=notrunc", "status=none"]
    fed(command, vocal, between, share=0.6)
    between()
    fed(command, vocal, between)


def renamed_in(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """Written under a temporary name, then renamed."""
    part = inbox / f"{name}.part"
    fed(["cp", "/dev/stdin", str(part)], vocal, between)
    between()
    run("mv", part, inbox / name)


def moved_over(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """``mv`` from another file system, which copies."""
    with tempfile.TemporaryDirectory(dir=OTHER_FILE_SYSTEM) as elsewhere:
        run("cp", vocal, Path(elsewhere) / "vocal")
        run("mv", Path(elsewhere) / "vocal", inbox / name)


def marked(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """If done markers are required: the vocal, a long pause, then the marker."""
    run("cp", vocal, inbox / name)
    between()
    run("touch", inbox / f"{name}.done")


WAYS: dict[str, Copy] = {
    way.__name__: way
    for way in (cp, cp_slowly, cp_interrupted, dd_resumed, reserved, reserved_and_interrupted, renamed_in)
}


def lacking() -> str:
    """Why these programs cannot be used; '' if they can."""
    return missing("cp", "mv", "dd", "fallocate")


def lacking_elsewhere(inbox: Path) -> str:
    """Why no file can be moved here from another file system; '' if one can."""
    if not OTHER_FILE_SYSTEM.is_dir() or OTHER_FILE_SYSTEM.stat().st_dev == inbox.stat().st_dev:
        return "no other file system at hand"
    return lacking()
