"""``cp``, ``mv``, ``dd`` and ``fallocate`` on this computer."""

from __future__ import annotations

import tempfile
from pathlib import Path

from support.watch.clients import Between, Copy, fed, missing, run

OTHER_FILE_SYSTEM = Path("/dev/shm")


def cp(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """In one go."""
    run("cp", vocal, inbox / name)


def cp_slowly(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """From a source that is slow."""
    fed(["cp", "/dev/stdin", str(inbox / name)], vocal, between)


def cp_interrupted(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """Killed in the middle; then the same from the beginning."""
    fed(["cp", "/dev/stdin", str(inbox / name)], vocal, between, share=0.6)
    between()
    fed(["cp", "/dev/stdin", str(inbox / name)], vocal, between)


def dd_resumed(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """Killed in the middle; the rest is put behind what is there."""
    target = inbox / name
    fed(["dd", f"of={target}", "bs=4k", "status=none"], vocal, between, share=0.6)
    between()
    there = target.stat().st_size if target.exists() else 0
    where = (f"skip={there}", f"seek={there}", "iflag=skip_bytes", "oflag=seek_bytes", "conv=notrunc")
    run("dd", f"if={vocal}", f"of={target}", *where, "status=none")


def reserved(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """All of the space first, the bytes later."""
    target = inbox / name
    run("fallocate", "-l", str(vocal.stat().st_size), target)
    between()
    fed(["dd", f"of={target}", "bs=4k", "conv=notrunc", "status=none"], vocal, between)


def reserved_and_interrupted(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """All of the space first; then killed in the middle, and done again."""
    target = inbox / name
    run("fallocate", "-l", str(vocal.stat().st_size), target)
    command = ["dd", f"of={target}", "bs=4k", "conv=notrunc", "status=none"]
    fed(command, vocal, between, share=0.6)
    between()
    fed(command, vocal, between)


def renamed_in(vocal: Path, inbox: Path, name: str, between: Between) -> None:
    """Under a temporary name, then renamed."""
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
    """Where a done marker is required: the vocal, a long time of nothing, then the marker."""
    run("cp", vocal, inbox / name)
    between()
    run("touch", inbox / f"{name}.done")


WAYS: dict[str, Copy] = {
    way.__name__: way
    for way in (cp, cp_slowly, cp_interrupted, dd_resumed, reserved, reserved_and_interrupted, renamed_in)
}


def lacking() -> str:
    """Why these cannot be used; empty if they can."""
    return missing("cp", "mv", "dd", "fallocate")


def lacking_elsewhere(inbox: Path) -> str:
    """Why nothing can be moved here from another file system."""
    if not OTHER_FILE_SYSTEM.is_dir() or OTHER_FILE_SYSTEM.stat().st_dev == inbox.stat().st_dev:
        return "no other file system at hand"
    return lacking()
