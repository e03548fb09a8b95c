"""What a release is made of: each part with its version, its licence, that licence's text, and a hash."""

from __future__ import annotations

import platform
import re
import sysconfig
from dataclasses import dataclass, field
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Literal

from appliance.files.hashes import file_sha256
from appliance.packs.manifest import MANIFEST_NAME, Manifest
from bundle.contents.interpreter import base_executable
from bundle.contents.packages import Wheel
from bundle.errors import BundleError
from bundle.papers import known_licences
from bundle.tools.programs import output, program


@dataclass(frozen=True, slots=True)
class Part:
    """``kind`` is CycloneDX's type; ``licence`` an SPDX expression; ``texts`` the files with its words."""

    kind: Literal["application", "library", "machine-learning-model", "data"]
    name: str
    version: str
    licence: str
    texts: tuple[Path, ...]
    sha256: str
    purl: str = ""
    properties: dict[str, str] = field(default_factory=dict)


def python_parts(packages: Path, wheels: list[Wheel]) -> list[Part]:
    """Every distribution in the folder ``packages``, each with the wheel that it came in."""
    by_name = {normal(wheel.name): wheel for wheel in wheels}
    found = sorted(distributions(path=[str(packages)]), key=lambda each: normal(each.name))
    if strangers := {normal(each.name) for each in found} ^ set(by_name):
        raise BundleError(
            f"{', '.join(sorted(strangers))}: a wheel or a package without the other; build anew."
        )
    return [_python_part(each, by_name[normal(each.name)], packages) for each in found]


def normal(name: str) -> str:
    """A distribution's name as packaging compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _python_part(distribution: Distribution, wheel: Wheel, packages: Path) -> Part:
    name = normal(distribution.name)
    licence = known_licences.of_distribution(name, distribution.metadata)
    folders = packages.glob("*.dist-info")
    folder = next(path for path in folders if normal(path.name.split("-")[0]) == name)
    texts = _texts(folder)
    if name == "soundfile":
        texts += _texts(packages / "_soundfile_data")  # libsndfile's own, with the codecs in it
    if licence is None or not texts:
        raise BundleError(
            f"{distribution.name}: the package does not say which licence it has, or brings no text of it; "
            "read it and name it in bundle/papers/known_licences.py."
        )
    version = distribution.version
    return Part("library", name, version, licence, texts, wheel.sha256, f"pkg:pypi/{name}@{version}")


def _texts(folder: Path) -> tuple[Path, ...]:
    """Files below ``folder`` that hold a licence, in order."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return tuple(path for path in files if known_licences.LICENCE_NAME.match(path.name))


def interpreter_part() -> Part:
    """The Python that travels."""
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
        f"pkg:generic/python@{version}",
    )


def system_parts(sources: list[Path]) -> list[Part]:
    """The Debian packages that ``sources``, files of this machine, belong to; each once."""
    found: dict[str, Part] = {}
    for source in sources:
        package, version = _debian_package(source)
        licence = known_licences.DEBIAN_PACKAGES.get(package)
        if licence is None:
            raise BundleError(
                f"{source} of the package {package} travels; read its licence in /usr/share/doc/{package}/"
                "copyright and name it in bundle/papers/known_licences.py."
            )
        purl = f"pkg:deb/debian/{package}@{version}?arch=amd64"
        texts = _debian_copyright(package)
        found.setdefault(
            package, Part("library", package, version, licence, texts, file_sha256(source), purl)
        )
    return list(found.values())


def _debian_package(file: Path) -> tuple[str, str]:
    """Name and version of the Debian package that ``file`` came with."""
    # /lib is a link to /usr/lib today, and packages list either name.
    for name in (str(file), str(file).removeprefix("/usr")):
        try:
            package = output(program("dpkg"), "-S", name).split(":")[0]
            return package, output("dpkg-query", "--show", "--showformat=${Version}", f"{package}:amd64")
        except BundleError:
            continue
    raise BundleError(f"{file} belongs to no Debian package, so its licence is not known; build on Debian.")


def _debian_copyright(package: str) -> tuple[Path, ...]:
    text = Path("/usr/share/doc") / package / "copyright"
    if not text.is_file():
        raise BundleError(f"{text} is missing; reinstall the package {package}.")
    return (text.resolve(),)


def pack_parts(pack: Path, manifest: Manifest) -> list[Part]:
    """The pack and the soundfont in it."""
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
