"""Compiles what a release needs, or takes it from the cache where nothing that it depends on has changed."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bundle.compiled import libm, libz
from bundle.compiled import opener as opener_recipe
from bundle.compiled.archives import OPTIMISED, RECIPES
from bundle.compiled.cache import kept
from bundle.compiled.compiler import LOCK as COMPILER_LOCK
from bundle.compiled.compiler import Compiler, compiler_version, fetch_compiler
from bundle.compiled.python import SETUP, configure_python, make_python
from bundle.compiled.sources import LOCK, Lock, Source, read_lock, unpack

Say = Callable[[str], None]

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The compiled Python.

    Attributes:
        folder: ``bin/python3`` and ``lib/python3.X`` lie below it.
        texts: the licence text of each source, as ``NAME.txt``.
        sources: what it was compiled from: Python first, then what is linked into it.
    """

    folder: Path
    texts: Path
    sources: tuple[Source, ...]

    @property
    def version(self) -> str:
        """The version of Python."""
        return self.sources[0].version


@dataclass(frozen=True, slots=True)
class Opener:
    """The compiled opener; attributes as of :class:`Interpreter`.

    ``texts`` also has the licences of what the compiler links in, :data:`bundle.compiled.opener.BROUGHT`, and
    ``compiler_version`` is the version of that compiler.
    """

    folder: Path
    texts: Path
    sources: tuple[Source, ...]
    compiler_version: str


@dataclass(frozen=True, slots=True)
class SharedLibraries:
    """The compiled libm, libmvec and libz; attributes as of :class:`Interpreter`."""

    folder: Path
    texts: Path
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where something is compiled.

    Attributes:
        lock: the sources.
        compiler: zig.
        cache: the folder that keeps downloads.
        folder: for intermediate files.
        texts: gets the licence text of every source that is unpacked.
    """

    lock: Lock
    compiler: Compiler
    cache: Path
    folder: Path
    texts: Path

    def unpacked(self, name: str) -> Path:
        """The root of the source ``name``, unpacked and patched."""
        source = self.lock.sources[name]
        root = unpack(source, self.cache, self.folder / name)
        shutil.copyfile(root / source.text, self.texts / f"{name}.txt")
        return root


def interpreter(checkout: Path, cache: Path, say: Say) -> Interpreter:
    """The interpreter, compiled unless ``cache`` has it; ``say`` is called with each long step.

    Raises :class:`BundleError` if a source cannot be fetched or compiled.
    """
    recipe = (SETUP, *(HERE / f"{name}.py" for name in ("archives", "python")))
    folder = _compiled(
        checkout, cache, "interpreter", recipe, lambda place, made: _interpreter(place, made, say)
    )
    sources = read_lock().sources
    return Interpreter(
        folder / "made", folder / "licences", tuple(sources[name] for name in ("python", *RECIPES))
    )


def opener(checkout: Path, cache: Path, say: Say) -> Opener:
    """The opener, compiled unless ``cache`` has it."""
    recipe = (HERE / "opener.py", *sorted(opener_recipe.SOURCES.iterdir()))

    def make(place: Workplace, made: Path) -> None:
        say("  compiling the opener")
        for name, text in opener_recipe.BROUGHT.items():
            shutil.copyfile(place.compiler.zig.parent / text, place.texts / f"{name}-of-zig.txt")
        opener_recipe.make_opener(place.lock, place.compiler, place.folder, made, place.unpacked)

    folder = _compiled(checkout, cache, "opener", recipe, make)
    sources = read_lock().sources
    return Opener(
        folder / "made",
        folder / "licences",
        tuple(sources[name] for name in opener_recipe.LINKED),
        compiler_version(checkout),
    )


def shared_libraries(checkout: Path, cache: Path, say: Say) -> SharedLibraries:
    """The mathematical library and zlib, compiled unless ``cache`` has them."""
    recipe = (HERE / "libm.py", HERE / "libz.py", libm.LACKING, libm.VECTORS)

    def make(place: Workplace, made: Path) -> None:
        say("  compiling the mathematical library and zlib")
        libm.make_libm(place.lock, place.compiler, place.folder, made, place.unpacked("musl"))
        libz.make_libz(place.lock, place.compiler, place.folder, made, place.unpacked("zlib"))

    folder = _compiled(checkout, cache, "libraries", recipe, make)
    sources = read_lock().sources
    return SharedLibraries(folder / "made", folder / "licences", (sources["musl"], sources["zlib"]))


def compiled(checkout: Path, cache: Path, say: Say) -> list[Path]:
    """The folders of all three in ``cache``."""
    return [make(checkout, cache, say).folder for make in (interpreter, opener, shared_libraries)]


def _compiled(
    checkout: Path,
    cache: Path,
    name: str,
    recipe: Iterable[Path],
    make: Callable[[Workplace, Path], None],
) -> Path:
    """The folder in ``cache`` with ``made`` and ``licences``, which ``make`` fills if it is not there."""
    digest = hashlib.sha256()
    common = (LOCK, checkout / COMPILER_LOCK, *(HERE / f"{each}.py" for each in ("compiler", "sources")))
    for file in (*common, *recipe):
        digest.update(hashlib.sha256(file.read_bytes()).digest())

    def fill(folder: Path) -> None:
        compiler = fetch_compiler(checkout, cache)
        # Always the same folder: zig keeps each object file that it compiled there, and finds it again when
        # another part of the recipe has changed.
        work = cache / "work"
        with (cache / "lock").open("w") as claim:
            fcntl.flock(claim, fcntl.LOCK_EX)
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            for part in ("made", "licences"):
                (folder / part).mkdir()
            make(Workplace(read_lock(), compiler, cache, work, folder / "licences"), folder / "made")
            shutil.rmtree(work)

    return kept(cache / name / digest.hexdigest()[:16], fill)


def _interpreter(place: Workplace, made: Path, say: Say) -> None:
    programs, prefix = place.folder / "bin", place.folder / "prefix"
    place.compiler.programs(programs, f"x86_64-linux-gnu.{place.lock.glibc}", prefix)
    variables = place.compiler.variables(programs, place.lock.date_s)

    def archive(name: str) -> None:
        say(f"  compiling {name}")
        RECIPES[name](place.unpacked(name), prefix, {**variables, "CFLAGS": OPTIMISED})

    say("  compiling Python")
    python = place.unpacked("python")
    # Configuring uses one core, so the libraries are compiled meanwhile.
    with ThreadPoolExecutor(2) as pool:
        tasks = [pool.submit(configure_python, python, variables)]
        tasks += [pool.submit(archive, name) for name in RECIPES]
        for task in tasks:
            task.result()
    make_python(python, variables, made)
