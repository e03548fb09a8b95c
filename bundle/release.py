"""Builds the release tree from the checkout, step by step."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance.cli.main import cli as command_line
from appliance.files.hashes import file_sha256
from bundle.contents.bytecode import compile_all
from bundle.contents.interpreter import copy_interpreter, site_packages
from bundle.contents.libraries import copy_libraries, outsiders
from bundle.contents.man_page import man_page, write_man_page
from bundle.contents.pack import copy_signed
from bundle.contents.packages import build_wheel, fetch_wheels, install
from bundle.contents.verifier import copy_verifier
from bundle.errors import BundleError
from bundle.papers import manifest, parts
from bundle.papers.licences import collect_licences
from bundle.papers.sbom import bill_of_materials, write_bill
from bundle.tools.elf import Version
from bundle.tools.signing import SigningKey

LAUNCHER = Path(__file__).with_name("launcher.sh")


@dataclass(frozen=True, slots=True)
class Sources:
    """What a release is built from.

    Attributes:
        checkout: the root of the source tree.
        build: the folder for downloads and intermediate files.
        version: the version that the release reports.
        time_s: the date of everything in it, in seconds since 1970.
        key: signs the pack; its public half is shipped.
    """

    checkout: Path
    build: Path
    version: str
    time_s: int
    key: SigningKey


@dataclass(frozen=True, slots=True)
class Release:
    """A finished release tree.

    Attributes:
        tree: its folder.
        version: the version that it reports.
        glibc: the oldest GNU C library that it runs on.
        size_bytes: its disk space.
    """

    tree: Path
    version: str
    glibc: Version
    size_bytes: int


def make_tree(sources: Sources, say: Callable[[str], None]) -> Release:
    """Build ``build/tree/backline-VERSION`` from scratch; ``say`` is called with the name of each step.

    Raises :class:`BundleError` if a program, library or licence is missing.
    """
    tree = sources.build / "tree" / f"backline-{sources.version}"
    shutil.rmtree(tree.parent, ignore_errors=True)
    python = tree / "python"
    python.mkdir(parents=True)
    checkout = sources.checkout

    say("the interpreter")
    copy_interpreter(python)
    say("the packages")
    lock = checkout / "requirements" / "runtime.txt"
    kept = sources.build / "wheels" / f"{sys.implementation.cache_tag}-{file_sha256(lock)[:12]}"
    own = sources.build / "own"
    shutil.rmtree(own, ignore_errors=True)
    packages = site_packages(python)
    wheel = build_wheel(checkout, sources.version, own, sources.time_s)
    wheels = install([*fetch_wheels(lock, kept), wheel], packages)
    say("the libraries of the system")
    verifier = copy_verifier(tree / "verify")
    libraries = copy_libraries(tree, python)
    if lost := outsiders(tree):
        raise BundleError(
            f"The release lacks libraries: {'; '.join(lost)}; install them on this machine and build again."
        )

    say("pack, units, demo, manual")
    pack = copy_signed(checkout / "packs" / "reference", tree / "packs" / "reference", sources.key)
    shutil.copytree(checkout / "systemd", tree / "systemd")
    (tree / "demo").mkdir()
    shutil.copyfile(checkout / "demo" / "vocal.flac", tree / "demo" / "vocal.flac")
    (tree / "keys").mkdir()
    (tree / "keys" / "backline.pub").write_text(sources.key.public)
    (tree / "bin").mkdir()
    shutil.copyfile(LAUNCHER, tree / "bin" / "backline")
    (tree / "bin" / "backline").chmod(0o755)
    page = man_page(command_line, sources.version, sources.time_s)
    write_man_page(tree / "share" / "man" / "man1" / "backline.1.gz", page)

    say("licences and bill of materials")
    inside = [
        parts.interpreter_part(),
        *parts.python_parts(packages, wheels),
        *parts.system_parts([*verifier, *(each.source for each in libraries if not each.of_interpreter)]),
        *parts.pack_parts(tree / "packs" / "reference", pack),
    ]
    whole = next(part for part in inside if part.name == "backline")
    collect_licences(inside, tree / "share" / "licences")
    bill = bill_of_materials(whole, [part for part in inside if part is not whole], sources.time_s)
    write_bill(tree / "share" / "sbom.cdx.json", bill)

    say("compiling")
    compile_all(tree, python)
    _same_modes(tree)
    glibc = manifest.glibc_floor(tree)
    manifest.write_manifest(tree, sources.version, glibc)
    return Release(tree, sources.version, glibc, manifest.size_bytes(tree))


def _same_modes(tree: Path) -> None:
    """Make everything readable by all and writable by the owner, whatever the umask of the build."""
    for path in (tree, *tree.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
