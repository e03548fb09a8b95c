"""Whether two builds give the same bytes."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from appliance.files.hashes import file_sha256
from bundle.compiled.build import Say, compiled
from bundle.errors import BundleError


def compare_with_another_build(checkout: Path, cache: Path, say: Say) -> Iterator[str]:
    """Compile everything in another folder, with nothing from ``cache`` but the downloads; yield the hashes.

    Raises :class:`BundleError` for a file that differs.
    """
    with tempfile.TemporaryDirectory(dir=cache.parent, prefix="again-") as folder:
        again = Path(folder)
        (again / "files").symlink_to(cache / "files")
        for release in (cache / "zig").iterdir():
            if (release / "ziglang").is_dir():  # the compiler, without what it has compiled
                (again / "zig").mkdir(exist_ok=True)
                (again / "zig" / release.name).symlink_to(release)
        for one, other in zip(compiled(checkout, cache, say), compiled(checkout, again, say), strict=True):
            yield f"{one.parent.parent.name}: {_same(one, other)}"


def _same(one: Path, other: Path) -> str:
    """The number of files below both folders and a hash of them all."""
    names = [sorted(str(path.relative_to(top)) for path in top.rglob("*")) for top in (one, other)]
    if names[0] != names[1]:
        raise BundleError(f"{one} and another build have different files: {set(names[0]) ^ set(names[1])}.")
    digest, count = hashlib.sha256(), 0
    for name in names[0]:
        if (one / name).is_file():
            if (hashed := file_sha256(one / name)) != file_sha256(other / name):
                raise BundleError(f"{one / name} has other bytes when it is compiled again.")
            digest.update(f"{name} {hashed}\n".encode())
            count += 1
    return f"{count} files, equal in two builds; SHA-256 of all {digest.hexdigest()}"
