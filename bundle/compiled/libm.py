"""The release's own ``libm.so.6``: the mathematical functions of musl under the names that glibc gives them.

C libraries of different versions, and one of them on processors with and without FMA, round ``exp``, ``pow``
or ``atan2`` differently in the last bit, and the music depends on it. Every program and library of the
release finds this file before the system's, so the same vocal gives the same bytes on every Linux.

glibc names the version of a function that a program was linked with; the file offers every function under
every version that anything in the release, or a library of the system that it loads, may ask for. A small
``libmvec.so.1`` beside it has the vector functions that libsndfile calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bundle.compiled.archives import JOBS
from bundle.compiled.compiler import Compiler, run
from bundle.compiled.sources import Lock

LACKING = Path(__file__).with_name("mathematics") / "lacking.c"
"""What musl leaves to the compiler's library. zig's is not linked: it also has sines and logarithms."""

VECTORS = LACKING.with_name("vectors.c")

SONAME, VECTORS_SONAME = "libm.so.6", "libmvec.so.1"

BASE = "GLIBC_2.2.5"
"""The version of all functions that x86-64 had from the start."""

NEWER = {
    "GLIBC_2.15": ("__acosf_finite", "__exp2_finite", "__exp_finite", "__log_finite", "__pow_finite"),
    "GLIBC_2.27": ("exp2f", "expf", "log2f", "logf", "powf"),
    "GLIBC_2.29": ("exp", "exp2", "log", "log2", "pow"),
    "GLIBC_2.35": ("hypot", "hypotf"),
    "GLIBC_2.38": ("fmod", "fmodf"),
    "GLIBC_2.32": ("exp10f",),
    "GLIBC_2.39": ("exp10",),
}
"""Functions that glibc offers under a newer version too; what they compute is the same."""

NEWEST_MINOR = 60
"""A library of the system may ask for any version up to this one; without a name the loader would stop."""

_FLAGS = ("-O2", "-fPIC", "-std=c99", "-nostdinc", "-ffreestanding", "-frounding-math", "-ffp-contract=off")
"""No contraction: a product and a sum are rounded one after the other on every processor."""

_MAKEFILE = """\
objects = {objects}
all: $(objects)
{rules}
"""


def make_libm(lock: Lock, compiler: Compiler, work: Path, made: Path, musl: Path) -> None:
    """Compile libm and libmvec into the folder ``made`` from the unpacked source ``musl``."""
    programs = work / "bin-mathematics"
    compiler.programs(programs, f"x86_64-linux-gnu.{lock.glibc}", work / "prefix-mathematics")
    variables = compiler.variables(programs, lock.date_s)
    generated = musl / "generated" / "bits"
    generated.mkdir(parents=True)
    rules = [musl / "tools" / "mkalltypes.sed", musl / "arch" / "x86_64" / "bits" / "alltypes.h.in"]
    run(
        ["sh", "-c", f"sed -f {rules[0]} {rules[1]} {musl}/include/alltypes.h.in >{generated}/alltypes.h"],
        musl,
        variables,
    )
    headers = ("src/internal", "src/include", "arch/x86_64", "arch/generic", "generated", "include")
    flags = " ".join([*_FLAGS, "-D_XOPEN_SOURCE=700", *(f"-I{musl / name}" for name in headers)])
    (musl / "newer.s").write_text(_newer())
    sources = [*_sources(musl), LACKING, musl / "newer.s"]
    objects = {source: f"{number}.o" for number, source in enumerate(sources)}
    lines = [f"{name}: {source}\n\tcc {flags} -c -o {name} {source}" for source, name in objects.items()]
    lines.append(f"vectors.o: {VECTORS}\n\tcc {flags} -c -o vectors.o {VECTORS}")
    needed = " ".join([*objects.values(), "vectors.o"])
    (musl / "Makefile").write_text(_MAKEFILE.format(objects=needed, rules="\n".join(lines)))
    run(["make", JOBS, "all"], musl, variables)
    (musl / "versions.map").write_text(_versions())
    (musl / "vectors.map").write_text("GLIBC_2.22 { global: _ZGV*; local: *; };\n")
    link: list[str | Path] = [
        compiler.zig,
        "ld.lld",
        "-shared",
        "--strip-all",
        "--build-id=none",
        "-z",
        "defs",
    ]
    own: list[str | Path] = [
        "-soname",
        SONAME,
        "--version-script=versions.map",
        "-o",
        made / SONAME,
        *objects.values(),
    ]
    run([*link, "-Bsymbolic", *own], musl, variables)
    vectors: list[str | Path] = [
        "-soname",
        VECTORS_SONAME,
        "--version-script=vectors.map",
        "-o",
        made / VECTORS_SONAME,
    ]
    run([*link, *vectors, "vectors.o", made / SONAME], musl, variables)


def _sources(musl: Path) -> Iterator[Path]:
    """The files to compile; one for x86-64 replaces the portable one of the same name."""
    for folder in ("math", "complex", "fenv"):
        own = sorted((musl / "src" / folder / "x86_64").glob("*.[cs]"))
        yield from own
        names = {path.stem for path in own}
        yield from (path for path in sorted((musl / "src" / folder).glob("*.c")) if path.stem not in names)


def _versions() -> str:
    """The linker's script: everything has the oldest version; the other versions exist."""
    text = f"{BASE} {{ global: *; local: __*; }};\n"
    for minor in range(3, NEWEST_MINOR + 1):
        text += f"GLIBC_2.{minor} {{ }};\n"
    return text


def _newer() -> str:
    """Assembler that jumps from each function's newer version to the function."""
    text = "\t.text\n"
    for version, names in NEWER.items():
        for name in names:
            alias = f"{version}_{name}".replace(".", "_")
            function = re.sub(r"__(\w+)_finite", r"\1", name)
            text += f"\t.globl {alias}\n\t.type {alias},@function\n{alias}:\n\tjmp {function}@PLT\n"
            text += f"\t.size {alias}, .-{alias}\n\t.symver {alias}, {name}@{version}, remove\n"
    return text + '\t.section .note.GNU-stack,"",@progbits\n'
