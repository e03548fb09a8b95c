"""What is compiled for a release: its lock, and which wheels are chosen for it."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from support.bundle_stand_in import need

from bundle.compiled.archives import RECIPES
from bundle.compiled.cache import kept
from bundle.compiled.opener import LINKED
from bundle.compiled.sources import Source, fetch, read_lock, unpack
from bundle.contents.packages import FLOOR, PLATFORMS, for_python
from bundle.errors import BundleError
from bundle.tools.c_symbols import newest_c_symbol, symbols_in


def test_the_lock_names_every_source_that_is_compiled() -> None:
    lock = read_lock()
    assert lock.sources.keys() == {"python", "musl", *RECIPES, *LINKED}
    assert lock.glibc == ".".join(map(str, FLOOR))
    for source in lock.sources.values():
        assert source.revision.startswith(source.version)
        for name, sha256 in source.files.items():
            assert re.fullmatch(r"[0-9a-f]{64}", sha256)
            assert name.startswith(f"{source.package}_{source.version}")


def packed(file: Path, **texts: str) -> str:
    """Write a tar with ``texts`` by their name, and return its SHA-256."""
    file.parent.mkdir(parents=True)
    with tarfile.open(file, "w:xz") as tar:
        for name, text in texts.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_source_in_the_cache_needs_no_network(tmp_path: Path) -> None:
    """It is verified, unpacked, and patched from the first patch on that the lock names."""
    need("patch")
    change = "--- a/text\n+++ b/text\n@@ -1 +1 @@\n-{}\n+{}\n"
    archive, changes = "tiny_1.0.orig.tar.xz", "tiny_1.0-1.debian.tar.xz"
    hashes = {
        archive: packed(tmp_path / "a" / archive, **{"tiny-1.0/text": "one\n"}),
        changes: packed(
            tmp_path / "b" / changes,
            **{
                "debian/patches/series": "# layout\nlayout.diff\nfix.diff -p1\nmore.diff\n",
                "debian/patches/layout.diff": change.format("other", "layout"),
                "debian/patches/fix.diff": change.format("one", "two"),
                "debian/patches/more.diff": change.format("two", "three"),
            },
        ),
    }
    for folder, name in (("a", archive), ("b", changes)):
        place = tmp_path / "cache" / "files" / hashes[name]
        place.mkdir(parents=True)
        (tmp_path / folder / name).rename(place / name)
    source = Source("tiny", "1.0", "tiny", "1.0-1", "MIT", "LICENSE", hashes, "fix.diff")
    root = unpack(source, tmp_path / "cache", tmp_path / "work")
    assert (root.name, (root / "text").read_text()) == ("tiny-1.0", "three\n")


def test_an_altered_source_is_refused(tmp_path: Path) -> None:
    source = Source("tiny", "1.0", "tiny", "1.0-1", "MIT", "LICENSE", {"tiny_1.0.orig.tar.gz": "0" * 64})
    file = tmp_path / "files" / ("0" * 64) / "tiny_1.0.orig.tar.gz"
    file.parent.mkdir(parents=True)
    file.write_text("something else")
    with pytest.raises(BundleError, match=r"has not the hash that sources\.toml lists"):
        fetch(source, tmp_path)


def test_what_failed_to_compile_is_not_kept(tmp_path: Path) -> None:
    def fails(folder: Path) -> None:
        (folder / "half").touch()
        raise BundleError("no")

    with pytest.raises(BundleError):
        kept(tmp_path / "cache" / "x", fails)
    assert list((tmp_path / "cache").iterdir()) == []
    made = kept(tmp_path / "cache" / "x", lambda folder: (folder / "whole").touch())
    assert kept(tmp_path / "cache" / "x", fails) == made
    assert [path.name for path in made.iterdir()] == ["whole"]


def test_wheels_are_chosen_for_the_bundled_python(root: Path) -> None:
    """Of two versions of a package, the one whose marker fits; the hashes stay."""
    lock = (root / "requirements" / "runtime.txt").read_text()
    chosen = for_python(lock, "3.11.2")
    names = re.findall(r"^(\S+)==(\S+)", chosen, re.MULTILINE)
    assert len(names) == len(dict(names)), "each package once"
    assert "tomli" not in dict(names), "Python 3.11 brings it"
    assert dict(names)["numpy"] in SpecifierSet(">=2.3"), "numpy 2.2 is for Python 3.10"
    assert "tomli" in for_python(lock, "3.10.1")
    for name, version in names:
        (block,) = re.findall(
            rf"^{re.escape(name)}=={re.escape(version)}[^\n]*\n((?:[ \t].*\n)*)", lock, re.M
        )
        assert block in chosen


def test_no_wheel_may_need_a_newer_c_library() -> None:
    minors = [int(found[1]) for name in PLATFORMS if (found := re.match(r"manylinux_2_(\d+)_", name))]
    assert minors == sorted(minors, reverse=True)
    assert max(minors) == FLOOR[1]


def test_functions_called_through_ctypes_are_found() -> None:
    text = """
import ctypes
_libc = ctypes.CDLL(None)
other = 1
_libc.one.restype = None
_libc.two(other.three)
ctypes.CDLL(None).four()
getattr(_libc, "five", None)
getattr(other, "six")
"""
    assert set(symbols_in(text)) == {"one", "two", "four", "five"}
    with pytest.raises(BundleError, match="computed name"):
        list(symbols_in("import ctypes\nlibc = ctypes.CDLL(None)\ngetattr(libc, f'{1}')\n"))


def test_every_function_of_the_appliance_has_a_known_version(root: Path, tmp_path: Path) -> None:
    version, where = newest_c_symbol(root / "appliance")
    assert version == (2, 14)
    assert where.endswith("durable.py: syncfs")
    (tmp_path / "new.py").write_text("import ctypes\nctypes.CDLL(None).renameat2()\n")
    with pytest.raises(BundleError, match="C function renameat2"):
        newest_c_symbol(tmp_path)
