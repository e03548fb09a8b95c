"""The parts of a release: each with its version, licence, licence texts and hash."""

from __future__ import annotations

import platform
import sysconfig
from dataclasses import dataclass, field
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Literal

from packageurl import PackageURL
from packaging.utils import NormalizedName, canonicalize_name

from appliance.files.hashes import file_sha256
from appliance.packs.manifest import MANIFEST_NAME, Manifest
from bundle.contents.interpreter import base_executable
from bundle.contents.packages import Wheel
from bundle.errors import BundleError
from bundle.papers import known_licences
from bundle.tools.programs import output, program


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


def interpreter_part() -> Part:
    """The bundled Python."""
    text = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
    texts = (text,) if text.is_file() else _debian_copyright(_debian_package(base_executable())[0])
    version = platform.python_version()
    return Part(
        "application",
        "python",
        version,
        known_licences.INTERPRETER,
        texts,
        file_sha256(base_executable()),
        PackageURL("generic", None, "python", version),
    )


def system_parts(sources: list[Path]) -> list[Part]:
    """The Debian packages that own the files ``sources`` of the build machine, each package once.

    Raises :class:`BundleError` if a file belongs to no package, or if a licence is unknown.
    """
    found: dict[str, Part] = {}
    for source in sources:
        package, version = _debian_package(source)
        licence = known_licences.DEBIAN_PACKAGES.get(package)
        if licence is None:
            raise BundleError(
                f"{source} of the package {package} would be shipped without a known licence; read "
                f"/usr/share/doc/{package}/copyright and add it to bundle/papers/known_licences.py."
            )
        purl = PackageURL("deb", "debian", package, version, {"arch": "amd64"})
        texts = _debian_copyright(package)
        found.setdefault(
            package, Part("library", package, version, licence, texts, file_sha256(source), purl)
        )
    return list(found.values())


def _debian_package(file: Path) -> tuple[str, str]:
    """Name and version of the Debian package that owns ``file``."""
    # /lib is a link to /usr/lib today, and package lists may use either name.
    for name in (str(file), str(file).removeprefix("/usr")):
        try:
            package = output(program("dpkg"), "-S", name).split(":")[0]
            return package, output("dpkg-query", "--show", "--showformat=${Version}", f"{package}:amd64")
        except BundleError:
            continue
    raise BundleError(f"{file} belongs to no Debian package, so its licence is unknown; build on Debian.")


def _debian_copyright(package: str) -> tuple[Path, ...]:
    text = Path("/usr/share/doc") / package / "copyright"
    if not text.is_file():
        raise BundleError(f"{text} is missing; reinstall the package {package}.")
    return (text.resolve(),)


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
