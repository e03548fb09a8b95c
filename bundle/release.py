"""Builds the release tree from the checkout, step by step."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance.cli.main import cli as command_line
from bundle.compiled import build
from bundle.contents.bytecode import compile_all
from bundle.contents.interpreter import copy_interpreter, site_packages
from bundle.contents.libraries import copy_libraries, outsiders
from bundle.contents.man_page import man_page, write_man_page
from bundle.contents.opener import copy_opener
from bundle.contents.pack import copy_signed
from bundle.contents.packages import FLOOR, build_wheel, fetch_wheels, install
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
        build: the folder for wheels and intermediate files.
        cache: the folder for compiler, sources, and what was compiled.
        version: the version that the release reports.
        time_s: the date of everything in it, in seconds since 1970.
        key: signs the pack; its public half is shipped.
    """

    checkout: Path
    build: Path
    cache: Path
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
    tree.mkdir(parents=True)
    checkout = sources.checkout

    say("the interpreter")
    interpreter = build.interpreter(checkout, sources.cache, say)
    copy_interpreter(interpreter, python)
    opener = build.opener(checkout, sources.cache, say)
    copy_opener(opener, tree)
    say("the packages")
    lock = checkout / "requirements" / "runtime.txt"
    own = sources.build / "own"
    shutil.rmtree(own, ignore_errors=True)
    packages = site_packages(python)
    wheel = build_wheel(checkout, sources.version, own, sources.time_s)
    fetched = fetch_wheels(lock, sources.build / "wheels", interpreter.version)
    wheels = install([*fetched, wheel], packages, interpreter.version)
    say("the libraries")
    libraries = build.shared_libraries(checkout, sources.cache, say)
    copy_libraries(libraries, python)
    if lost := outsiders(tree):
        raise BundleError(
            f"The release lacks libraries: {'; '.join(lost)}; add them to bundle/contents/libraries.py."
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
        *parts.compiled_parts(interpreter, opener, libraries),
        *parts.library_parts(),
        *parts.python_parts(packages, wheels),
        *parts.pack_parts(tree / "packs" / "reference", pack),
    ]
    whole = next(part for part in inside if part.name == "backline")
    collect_licences(inside, tree / "share" / "licences")
    bill = bill_of_materials(whole, [part for part in inside if part is not whole], sources.time_s)
    write_bill(tree / "share" / "sbom.cdx.json", bill)

    say("compiling")
    compile_all(tree, python)
    _same_modes(tree)
    glibc = manifest.glibc_floor(tree, FLOOR)
    manifest.write_manifest(tree, sources.version, glibc, interpreter.version)
    return Release(tree, sources.version, glibc, manifest.size_bytes(tree))


def _same_modes(tree: Path) -> None:
    """Make everything readable by all and writable by the owner, whatever the umask of the build."""
    for path in (tree, *tree.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
