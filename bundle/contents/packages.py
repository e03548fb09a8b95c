"""The locked packages and the appliance's own wheel, in the interpreter's folder for packages."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from appliance.files.hashes import file_sha256
from bundle.errors import BundleError
from bundle.tools.programs import output

BUILD_ONLY = {"flit_core"}
"""In the lock because it turns a checkout into the installed package; the bundle brings the package."""

_PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")

NEVER_LOADED = (
    # Other devices' and other formats' halves of OpenVINO: we read its own format, on the CPU.
    "openvino/libs/libopenvino_intel_gpu_plugin.so",
    "openvino/libs/libopenvino_intel_npu_plugin.so",
    "openvino/libs/libopenvino_auto_plugin.so",
    "openvino/libs/libopenvino_auto_batch_plugin.so",
    "openvino/libs/libopenvino_hetero_plugin.so",
    "openvino/libs/libopenvino_c.so*",
    "openvino/libs/cache.json",  # tuning of the GPU's kernels
    *(
        f"openvino/libs/libopenvino_{name}_frontend.so*"
        for name in ("gguf", "jax", "onnx", "paddle", "pytorch", "tensorflow", "tensorflow_lite")
    ),
    *(f"openvino/frontend/{name}" for name in ("jax", "onnx", "paddle", "pytorch", "tensorflow")),
    "openvino/tools",
    "openvino/torch",
    "openvino/cmake",
    "openvino/include",
    # What builds against a package, and what tests it.
    "numpy/**/tests",
    "numpy/_core/include",
    "numpy/_core/lib",
    "numpy/random/lib",
    "numpy/f2py",
    "**/*.pyi",
    "**/*.pyx",
    "**/*.pxd",
    "bin",
)
"""Patterns below the folder for packages."""

SUPERSEDED = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""pip's own list of files and how they came: ``release.json`` is the one list, and it is checked."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package as it came: project name as the lock writes it, version, SHA-256 of the wheel."""

    name: str
    version: str
    sha256: str


def fetch_wheels(lock: Path, folder: Path) -> list[Path]:
    """The wheels of ``lock`` in ``folder``, which is this lock's alone; each has a hash that stands there.

    They are fetched once; after that a bundle can be made without a network.
    """
    whole = folder / "whole"
    if not whole.exists():
        folder.mkdir(parents=True, exist_ok=True)
        output(
            *(sys.executable, *_PIP, "download", "--no-deps", "--require-hashes", "--only-binary=:all:"),
            *(f"--dest={folder}", f"--requirement={lock}"),
        )
        whole.touch()
    locked = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", lock.read_text()))
    wheels = sorted(folder.glob("*.whl"))
    if altered := [wheel for wheel in wheels if file_sha256(wheel) not in locked]:
        raise BundleError(f"{altered[0]} is not the one that {lock} names; delete {folder}.")
    return [wheel for wheel in wheels if wheel.name.split("-")[0] not in BUILD_ONLY]


def build_wheel(checkout: Path, version: str, folder: Path, time_s: int) -> Path:
    """The appliance's own wheel, built in the new folder ``folder``; it says that it is ``version``.

    Its files are dated ``time_s``, so that the same sources give the same wheel.
    """
    source = folder / "source"
    source.mkdir(parents=True)
    for name in ("README.md", "LICENSE"):
        shutil.copyfile(checkout / name, source / name)
    shutil.copytree(
        checkout / "appliance", source / "appliance", ignore=shutil.ignore_patterns("__pycache__")
    )
    project = (checkout / "pyproject.toml").read_text()
    project = re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', project, count=1)
    (source / "pyproject.toml").write_text(project)
    output(
        *(sys.executable, *_PIP, "wheel", "--no-deps", "--no-build-isolation"),
        f"--wheel-dir={folder}",
        source,
        SOURCE_DATE_EPOCH=str(time_s),
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheels: list[Path], packages: Path) -> list[Wheel]:
    """Unpack ``wheels`` into the folder ``packages`` and cut out what is never loaded."""
    output(
        *(sys.executable, *_PIP, "install", "--no-deps", "--no-index", "--no-compile"),
        f"--target={packages}",
        *wheels,
    )
    for pattern in NEVER_LOADED:
        for path in sorted(packages.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in SUPERSEDED:
        for path in packages.glob(f"*.dist-info/{name}"):
            path.unlink()
    for intruder in ("pip", "setuptools", "flit_core"):
        if (packages / intruder).exists():
            raise BundleError(
                f"{intruder} has no place in a bundle; take it out of requirements/runtime.txt."
            )
    return [_described(wheel) for wheel in wheels]


def _described(wheel: Path) -> Wheel:
    name, version = wheel.name.split("-")[:2]
    return Wheel(name.replace("_", "-").lower(), version, file_sha256(wheel))
