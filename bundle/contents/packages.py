"""Installs the locked packages and the appliance's own wheel into the bundled interpreter."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, parse_wheel_filename

from appliance.files.hashes import file_sha256
from bundle.errors import BundleError
from bundle.tools.elf import Version
from bundle.tools.programs import output

BUILD_ONLY = {"flit-core"}
"""Locked packages that only build our wheel; the bundle ships the wheel already built."""

FLOOR: Version = (2, 28)
"""The oldest C library that a wheel may require: that of the oldest servers we support."""

PLATFORMS = (
    *(f"manylinux_2_{minor}_x86_64" for minor in range(FLOOR[1], 4, -1)),
    *("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"),
)
"""Tags of the wheels to choose from, the newest C library first: ``cryptography`` has wheels for three."""

_PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")

NEVER_LOADED = (
    # Parts of OpenVINO for other devices and other model formats: we read its own format, on the CPU.
    "openvino/libs/libopenvino_intel_gpu_plugin.so",
    "openvino/libs/libopenvino_intel_npu_plugin.so",
    "openvino/libs/libopenvino_auto_plugin.so",
    "openvino/libs/libopenvino_auto_batch_plugin.so",
    "openvino/libs/libopenvino_hetero_plugin.so",
    "openvino/libs/libopenvino_c.so*",
    "openvino/libs/cache.json",  # tuned GPU kernels
    *(
        f"openvino/libs/libopenvino_{name}_frontend.so*"
        for name in ("gguf", "jax", "onnx", "paddle", "pytorch", "tensorflow", "tensorflow_lite")
    ),
    *(f"openvino/frontend/{name}" for name in ("jax", "onnx", "paddle", "pytorch", "tensorflow")),
    "openvino/tools",
    "openvino/torch",
    "openvino/cmake",
    "openvino/include",
    # Headers, stubs, sources, tests and scripts of packages.
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
"""Glob patterns, relative to site-packages, of files that the CPU runtime never loads."""

SUPERSEDED = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""pip's records of installed files; ``release.json`` replaces them, and the installer checks that one."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel that was installed: the normalised name of its package, and the hash of the file."""

    name: NormalizedName
    sha256: str


def fetch_wheels(lock: Path, kept: Path, python: str) -> list[Path]:
    """The wheels that ``lock`` lists for Python ``python``, such as ``3.11.2``.

    They are downloaded once, into a folder below ``kept``; later builds need no network. Raises
    :class:`BundleError` if a wheel does not have a hash that the lock lists.
    """
    folder = kept / f"python{python}-{PLATFORMS[0]}-{file_sha256(lock)[:12]}"
    whole = folder / "whole"
    if not whole.exists():
        folder.mkdir(parents=True, exist_ok=True)
        chosen = folder / "lock.txt"
        chosen.write_text(for_python(lock.read_text(), python))
        output(
            *(sys.executable, *_PIP, "download", "--no-deps", "--require-hashes", *_target(python)),
            *(f"--dest={folder}", f"--requirement={chosen}"),
        )
        whole.touch()
    locked = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", lock.read_text()))
    wheels = sorted(folder.glob("*.whl"))
    if altered := [wheel for wheel in wheels if file_sha256(wheel) not in locked]:
        raise BundleError(f"{altered[0]} has no hash that {lock} lists; delete {folder}.")
    return [wheel for wheel in wheels if package_name(wheel) not in BUILD_ONLY]


def for_python(lock: str, python: str) -> str:
    """The requirements in the text ``lock`` that apply to Python ``python`` on Linux, without their markers.

    pip would compare the markers with the Python that runs it.
    """
    facts = {
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    chosen = []
    for block in re.findall(r"^[^\s#].*\n(?:[ \t].*\n)*", lock, re.MULTILINE):
        first, hashes = block.split("\n", 1)
        requirement = Requirement(first.removesuffix("\\"))
        if requirement.marker is None or requirement.marker.evaluate(facts):
            requirement.marker = None
            chosen.append(f"{requirement} \\\n{hashes}")
    return "".join(chosen)


def _target(python: str) -> list[str]:
    """The options that make pip choose wheels for the bundled Python instead of the one that runs it."""
    platforms = [f"--platform={platform}" for platform in PLATFORMS]
    return ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}", *platforms]


def build_wheel(checkout: Path, version: str, folder: Path, time_s: int) -> Path:
    """Build the appliance's own wheel as ``version``, in the new folder ``folder``.

    Its files are dated ``time_s``, seconds since 1970, so the same sources give the same wheel.
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


def install(wheels: list[Path], packages: Path, python: str) -> list[Wheel]:
    """Install ``wheels`` for Python ``python`` into the folder ``packages``; remove what is never loaded.

    Raises :class:`BundleError` if an installer or build tool is among them.
    """
    output(
        *(sys.executable, *_PIP, "install", "--no-deps", "--no-index", "--no-compile"),
        *_target(python),
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
                f"{intruder} does not belong in a bundle; remove it from requirements/runtime.txt."
            )
    return [Wheel(package_name(wheel), file_sha256(wheel)) for wheel in wheels]


def package_name(wheel: Path) -> NormalizedName:
    """The normalised package name in the file name of ``wheel``."""
    return parse_wheel_filename(wheel.name)[0]
