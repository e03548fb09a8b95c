"""The release's own mathematical library: right, complete, and the same everywhere."""

from __future__ import annotations

import ctypes
import hashlib
import math
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bundle.compiled import build
from bundle.compiled.cache import cache_folder
from bundle.compiled.libm import NEWER, SONAME, VECTORS_SONAME
from bundle.errors import BundleError
from bundle.tools.elf import offered_symbols, read_elf

BYTES = "b3aab3ad8935eff28211866375f993cbffcf2b9a0d6a97400404fc0a3f17eedb"
"""SHA-256 of the results of :func:`results`; another value means that releases render other bytes."""

ONE = "acos acosh asin asinh atan atanh cbrt cos cosh erf exp exp2 expm1 log log10 log1p log2"
ONE += " sin sinh sqrt tan tanh"
TWO = "atan2 fmod hypot pow"


@pytest.fixture(scope="module")
def file(root: Path) -> Path:
    try:
        return build.shared_libraries(root, cache_folder(root / "build"), print).folder / SONAME
    except BundleError as error:
        pytest.skip(f"the mathematical library cannot be compiled here: {error}")


def domain(name: str) -> list[float]:
    """Arguments for which the function has a value."""
    if name in ("acos", "asin", "atanh"):
        return [number / 1000 for number in range(-999, 1000)]
    if name == "acosh":
        return [1 + number / 100 for number in range(2000)]
    if name in ("log", "log10", "log2", "log1p", "sqrt", "pow"):
        return [number / 37 for number in range(1, 2000)]
    return [number / 97 for number in range(-1000, 1000)]


def function(library: ctypes.CDLL, name: str, kind: type = ctypes.c_double) -> Callable[..., float]:
    found = getattr(library, name)
    found.restype, found.argtypes = kind, [kind] * (2 if name.removesuffix("f") in TWO.split() else 1)
    return found


def results(library: ctypes.CDLL, name: str, kind: type = ctypes.c_double) -> list[float]:
    called = function(library, name, kind)
    numbers = domain(name.removesuffix("f"))
    if name.removesuffix("f") in TWO.split():
        return [called(one, other) for one, other in zip(numbers, reversed(numbers), strict=True)]
    return [called(number) for number in numbers]


@pytest.mark.parametrize("name", [*ONE.split(), *TWO.split()])
def test_the_values_are_those_of_the_systems_library(file: Path, name: str) -> None:
    """Within two units in the last place, or 1e-300 for results next to nothing."""
    theirs = results(ctypes.CDLL("libm.so.6"), name)
    for own, other in zip(results(ctypes.CDLL(str(file)), name), theirs, strict=True):
        same = math.isnan(own) and math.isnan(other)
        assert same or abs(own - other) <= max(2 * math.ulp(other), 1e-300), name


def test_the_bytes_are_the_same_everywhere(file: Path) -> None:
    """In both precisions, whatever the processor and the C library of this computer."""
    library = ctypes.CDLL(str(file))
    digest = hashlib.sha256()
    for name in (*ONE.split(), *TWO.split()):
        for function_name, kind, form in ((name, ctypes.c_double, "d"), (f"{name}f", ctypes.c_float, "f")):
            digest.update(
                b"".join(struct.pack(f"<{form}", each) for each in results(library, function_name, kind))
            )
    assert digest.hexdigest() == BYTES


def test_it_needs_nothing_and_offers_every_newer_version(file: Path) -> None:
    assert read_elf(file).needs == ()
    offered = offered_symbols(file)
    for version, names in NEWER.items():
        assert {(name, version) for name in names} <= offered
    assert ("pow", "GLIBC_2.2.5") in offered


def test_a_newer_version_is_the_same_function(file: Path) -> None:
    library = ctypes.CDLL(str(file))
    find = ctypes.CDLL(None).dlvsym
    find.restype, find.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
    form = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_double)
    for version in (b"GLIBC_2.2.5", b"GLIBC_2.29"):
        power = form(find(library._handle, b"pow", version))
        assert power(2.5, 3.25) == function(library, "pow")(2.5, 3.25)


def test_two_and_four_numbers_at_once(file: Path) -> None:
    """libsndfile passes vectors in registers, which ctypes cannot; its own sound is compared elsewhere."""
    vectors = file.with_name(VECTORS_SONAME)
    assert read_elf(vectors).needs == (SONAME,)
    names = {"_ZGVbN2v_sin", "_ZGVbN2v_cos", "_ZGVbN4v_sinf", "_ZGVbN4v_cosf"}
    assert {name for name, version in offered_symbols(vectors) if version == "GLIBC_2.22"} >= names


def test_products_of_complex_numbers(file: Path) -> None:
    """``cpow`` multiplies; NumPy's own power is the judge. The compiler's library is not linked."""

    class Complex(ctypes.Structure):
        _fields_ = (("real", ctypes.c_double), ("imaginary", ctypes.c_double))

    library = ctypes.CDLL(str(file))
    library.cpow.restype, library.cpow.argtypes = Complex, [Complex, Complex]
    for base, exponent in ((1 + 2j, 3 - 1j), (-0.5 + 0.1j, 2 + 0j), (4 - 3j, -1.5 + 0.5j)):
        own = library.cpow(Complex(base.real, base.imag), Complex(exponent.real, exponent.imag))
        assert np.isclose(complex(own.real, own.imaginary), np.power(base, exponent), rtol=1e-14)
