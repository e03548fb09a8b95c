"""Copies minisign and its only library; they verify a release before the appliance is installed."""

from __future__ import annotations

import shutil
from pathlib import Path

from bundle.contents.libraries import GLIBC
from bundle.errors import BundleError
from bundle.tools.elf import read_elf
from bundle.tools.programs import output, program

LIBRARY = "libsodium.so.23"


def copy_verifier(folder: Path) -> list[Path]:
    """Copy minisign and libsodium of this machine into the new ``folder``; return the files copied.

    Raises :class:`BundleError` if this minisign needs other libraries.
    """
    source = program("minisign")
    needs = {soname for soname in read_elf(source).needs if not GLIBC.fullmatch(soname)}
    if needs != {LIBRARY}:
        raise BundleError(
            f"minisign needs {', '.join(sorted(needs))}, but only {LIBRARY} is shipped; use Debian's."
        )
    lines = [line.split() for line in output(program("ldd"), source).splitlines()]
    library = next(Path(line[2]).resolve() for line in lines if line[0] == LIBRARY)
    folder.mkdir()
    shutil.copyfile(source, folder / "minisign")
    (folder / "minisign").chmod(0o755)
    shutil.copyfile(library, folder / LIBRARY)
    (folder / LIBRARY).chmod(0o644)
    return [source, library]
