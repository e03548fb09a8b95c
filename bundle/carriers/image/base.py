"""What an image holds beside the release: the C library, a user, folders, the command, and papers.

There is no shell and no other program, because the release needs none. The C library is Debian 12's, kept in
``pinned/`` by its hash; only the libraries that files of the release name are taken from it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from packageurl import PackageURL

from appliance.files.hashes import file_sha256
from bundle.carriers.image.layers import Entry
from bundle.errors import BundleError
from bundle.papers.licences import folder_name
from bundle.papers.parts import Part
from bundle.papers.sbom import bill_of_materials, write_bill
from bundle.tools.elf import elf_files, read_elf
from bundle.tools.programs import output, program

PACKAGE, VERSION = "libc6", "2.36-9+deb12u14"
LIBC = Path(__file__).with_name("pinned") / f"{PACKAGE}_{VERSION}_amd64.deb"
LIBC_SHA256 = "ba4f88f73dbc3ae9055f3c20f4523bfdbaf1ad13ff95e258924f77d20b4fbedf"
LICENCE = "LGPL-2.1-or-later"
LICENCE_TEXT = Path("/usr/share/common-licenses/LGPL-2.1")
"""Of Debian's essential package base-files; the package's own copyright file refers to it."""

LOADER = "lib64/ld-linux-x86-64.so.2"
LIBRARIES = "lib/x86_64-linux-gnu"
"""The loader's own search path has this folder."""

PLACE = "opt/backline"
USER_ID = 10001
"""User and group of the service inside, which no system uses by itself."""

COMMAND = b"""\
#!/opt/backline/python/bin/python3 -IB
import sys

from appliance.cli.main import main

sys.exit(main())
"""

_FOLDERS = {
    "srv/backline": (0o755, 0),
    **{f"srv/backline/{name}": (0o2775, USER_ID) for name in ("inbox", "outbox", "archive", "rejected")},
    "var/lib/backline": (0o750, USER_ID),
    "var/cache/backline": (0o700, USER_ID),
    "etc/backline": (0o755, 0),
    "tmp": (0o1777, 0),
    "var/tmp": (0o1777, 0),
    **dict.fromkeys(("proc", "sys", "dev", "run"), (0o755, 0)),
}
"""Permissions and owner of each folder; the tmpfiles of the service has the same for /srv/backline."""


def base_entries(tree: Path, aside: Path, time_s: int) -> Iterator[Entry]:
    """All of the base layer for the release in ``tree``. ``aside`` is a folder for what is unpacked.

    Raises :class:`BundleError` if the package was altered, or lacks a library that the release needs.
    """
    package = unpacked(aside)
    yield from _libraries(tree, package)
    yield Entry("usr/bin/backline", COMMAND, 0o755)
    # The pack that the settings name by default.
    yield Entry(f"{PLACE}/packs/active", None, 0o777, target="reference")
    yield Entry(
        "etc/passwd", _table("root:x:0:0:root:/", f"backline:x:{USER_ID}:{USER_ID}:Backline:/"), 0o644
    )
    yield Entry("etc/group", f"root:x:0:\nbackline:x:{USER_ID}:\n".encode(), 0o644)
    for name, (mode, owner) in _FOLDERS.items():
        yield Entry(name, None, mode, owner)
    yield from _papers(package, aside, time_s)


def unpacked(aside: Path) -> Path:
    """The content of the package of the C library, below ``aside``. Raises :class:`BundleError`."""
    if file_sha256(LIBC) != LIBC_SHA256:
        raise BundleError(f"{LIBC} was altered; restore it: git checkout {LIBC}.")
    folder = Path(tempfile.mkdtemp(dir=aside))
    output(program("dpkg-deb"), "--extract", LIBC, folder)
    return folder


def _libraries(tree: Path, package: Path) -> Iterator[Entry]:
    """The loader, and those libraries of the package that files of the release name."""
    # Links in the package are absolute, so they would lead to files of this computer.
    inside = {file.name: file for file in package.rglob("*.so*") if file.is_file() and not file.is_symlink()}
    files = list(elf_files(tree))
    shipped = {file.name for file in files}
    needed = {soname for file in files for soname in read_elf(file).needs}
    # These two are what the C library's own libraries need.
    for soname in sorted((needed - shipped) | {Path(LOADER).name, "libc.so.6"}):
        if soname not in inside:
            raise BundleError(f"{LIBC.name} has no {soname}, which the release needs; take a newer package.")
        name = LOADER if soname == Path(LOADER).name else f"{LIBRARIES}/{soname}"
        yield Entry(name, inside[soname], 0o755)


def _table(*users: str) -> bytes:
    return "".join(f"{user}:/usr/bin/backline\n" for user in users).encode()


def _papers(package: Path, aside: Path, time_s: int) -> Iterator[Entry]:
    """Licence texts and a bill of materials; those of the release are in the release."""
    copyright_file = package / "usr/share/doc" / PACKAGE / "copyright"
    part = Part(
        "library",
        PACKAGE,
        VERSION,
        LICENCE,
        (copyright_file, LICENCE_TEXT),
        LIBC_SHA256,
        PackageURL("deb", "debian", PACKAGE, VERSION, {"arch": "amd64", "distro": "bookworm"}),
    )
    whole = Part("application", "backline-image-base", VERSION, LICENCE, (), LIBC_SHA256)
    bill = aside / "sbom.cdx.json"
    write_bill(bill, bill_of_materials(whole, [part], time_s))
    yield Entry("usr/share/backline-image/share/sbom.cdx.json", bill, 0o644)
    for text in part.texts:
        if not text.is_file():
            raise BundleError(f"{text} is missing; reinstall the package base-files.")
        name = f"usr/share/backline-image/share/licences/{folder_name(part)}/{text.name}"
        yield Entry(name, text, 0o644)
