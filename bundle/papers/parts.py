"""The parts of a release: each with its version, licence, licence texts and hash."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Literal

from packageurl import PackageURL
from packaging.utils import NormalizedName, canonicalize_name

from appliance.files.hashes import file_sha256
from appliance.packs.manifest import MANIFEST_NAME, Manifest
from bundle.compiled.build import Interpreter, Opener, SharedLibraries
from bundle.compiled.opener import BROUGHT, OPENER
from bundle.contents.libraries import COPYRIGHT, LIBRARIES
from bundle.contents.packages import Wheel
from bundle.errors import BundleError
from bundle.papers import known_licences


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a release.

    Attributes:
        kind: its CycloneDX component type.
        name, version: as its makers publish it.
        licence: an SPDX expression.
        texts: the files that hold the text of the licence.
        sha256: of the file that stands for the part: wheel, library, ``pack.json``, soundfont.
        purl: its package URL; None for what no package index knows.
        properties: further facts for the bill of materials.
    """

    kind: Literal["application", "library", "machine-learning-model", "data"]
    name: str
    version: str
    licence: str
    texts: tuple[Path, ...]
    sha256: str
    purl: PackageURL | None = None
    properties: dict[str, str] = field(default_factory=dict)


def python_parts(packages: Path, wheels: list[Wheel]) -> list[Part]:
    """Every distribution in the folder ``packages``, each with the hash of its wheel.

    Raises :class:`BundleError` if ``wheels`` and ``packages`` differ, or if a licence is unknown.
    """
    by_name = {wheel.name: wheel for wheel in wheels}
    found = {canonicalize_name(each.name): each for each in distributions(path=[str(packages)])}
    if strangers := found.keys() ^ by_name.keys():
        raise BundleError(
            f"{', '.join(sorted(strangers))}: wheels and installed packages differ; build again from scratch."
        )
    return [_python_part(name, found[name], by_name[name], packages) for name in sorted(found)]


def _python_part(name: NormalizedName, distribution: Distribution, wheel: Wheel, packages: Path) -> Part:
    licence = known_licences.of_distribution(name, distribution.metadata)
    folders = packages.glob("*.dist-info")
    folder = next(path for path in folders if canonicalize_name(path.name.split("-")[0]) == name)
    texts = _texts(folder)
    if name == "soundfile":
        texts += _texts(packages / "_soundfile_data")  # of libsndfile and the codecs linked into it
    if licence is None or not texts:
        raise BundleError(
            f"{distribution.name}: the package names no licence or ships no licence text; read its licence "
            "and add it to bundle/papers/known_licences.py."
        )
    version = distribution.version
    return Part(
        "library", name, version, licence, texts, wheel.sha256, PackageURL("pypi", None, name, version)
    )


def _texts(folder: Path) -> tuple[Path, ...]:
    """Licence files below ``folder``, sorted."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return tuple(path for path in files if known_licences.LICENCE_NAME.match(path.name))


def compiled_parts(interpreter: Interpreter, opener: Opener, libraries: SharedLibraries) -> list[Part]:
    """What was compiled: Python, the libraries linked into programs, and what the compiler links in."""
    made = (interpreter, opener, libraries)
    texts = {source.name: each.texts for each in made for source in each.sources}
    compiled = [
        Part(
            "application" if source.name == "python" else "library",
            source.name,
            source.version,
            source.licence,
            (texts[source.name] / f"{source.name}.txt",),
            next(iter(source.files.values())),  # of the upstream archive
            PackageURL("deb", "debian", source.package, source.revision, {"arch": "source"}),
        )
        for source in {source.name: source for each in made for source in each.sources}.values()
    ]
    version = opener.compiler_version
    return compiled + [
        Part(
            "library",
            f"{name}-of-zig",
            version,
            known_licences.ZIG,
            (opener.texts / f"{name}-of-zig.txt",),
            file_sha256(opener.folder / OPENER),
            PackageURL("pypi", None, "ziglang", version, None, name),
        )
        for name in BROUGHT
    ]


def library_parts() -> list[Part]:
    """The shared libraries of GCC."""
    return [
        Part(
            "library",
            library.package,
            library.version,
            known_licences.GCC,
            (COPYRIGHT,),
            library.sha256,
            PackageURL("deb", "debian", library.package, library.version, {"arch": "amd64"}),
        )
        for library in LIBRARIES
    ]


def pack_parts(pack: Path, manifest: Manifest) -> list[Part]:
    """The pack in the folder ``pack``, and its soundfont."""
    soundfont = pack / manifest.soundfont
    return [
        Part(
            "machine-learning-model",
            f"pack-{manifest.name}",
            manifest.version,
            manifest.licence,
            (pack / "MODEL_CARD.md",),
            file_sha256(pack / MANIFEST_NAME),
            properties={
                "backline:ledger_rows_sha256": manifest.ledger_rows_sha256,
                "backline:checkpoint_sha256": manifest.checkpoint_sha256,
            },
        ),
        Part(
            "data",
            f"soundfont-{soundfont.stem}",
            manifest.version,
            known_licences.SOUNDFONT,
            (pack / "band-licence.txt",),
            file_sha256(soundfont),
        ),
    ]
