"""The rules of the house: who may import whom, what the wheel ships, what the locks may name."""

from __future__ import annotations

import ast
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flit_core import buildapi
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAY_IMPORT = {
    "appliance": set(),
    "train": {"appliance", "torch"},
    "export": {"appliance", "train", "torch", "onnx"},
    "quantize": {"appliance", "nncf", "onnx"},
    "bundle": {"appliance"},
}
"""Of the rooms and the heavy tools, what each room may import."""

GUARDED = {"torch", "onnx", "nncf", *MAY_IMPORT}

UNSAFE_LOADERS = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def sources(root: Path, room: str) -> list[Path]:
    files = sorted((root / room).rglob("*.py"))
    assert files, f"no sources in {room}"
    return files


def imported(tree: ast.AST) -> Iterator[str]:
    """Absolute names of everything a module imports, at any depth of its code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in ("__import__", "import_module"):
            yield from (ast.literal_eval(a) for a in node.args[:1] if isinstance(a, ast.Constant))


def _called(call: ast.Call) -> str:
    """Last part of the name that is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def loads_code(tree: ast.AST) -> list[str]:
    """What in a module could run code that came with its data."""
    found = [name for name in imported(tree) if name.split(".")[0] in UNSAFE_LOADERS]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
            found.append(node.func.id)
        found += [
            "allow_pickle"
            for keyword in node.keywords
            if keyword.arg == "allow_pickle" and getattr(keyword.value, "value", True) is not False
        ]
    return found


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_rooms_import_only_what_they_may(root: Path, room: str) -> None:
    trespasses = [
        f"{file.relative_to(root)} imports {name}"
        for file in sources(root, room)
        for name in imported(ast.parse(file.read_text()))
        if (top := name.split(".")[0]) in GUARDED and top != room and top not in MAY_IMPORT[room]
    ]
    assert trespasses == []


def test_export_knows_the_networks_of_train_alone(root: Path) -> None:
    names = {name for file in sources(root, "export") for name in imported(ast.parse(file.read_text()))}
    train = {name for name in names if name.split(".")[0] == "train"}
    seam = (
        "train.networks",
        "train.checkpoints.checkpoint",
    )  # the networks, and the reader of what training leaves
    assert {name for name in train if not name.startswith(seam)} == set()


def test_hidden_imports_are_found() -> None:
    hidden = "def f():\n    import torch.nn\n    from train import corpus\n    import_module('onnx')\n"
    assert list(imported(ast.parse(hidden))) == ["torch.nn", "train.corpus", "onnx"]


def test_the_appliance_cannot_run_what_it_reads(root: Path) -> None:
    found = {
        str(file.relative_to(root)): loads
        for file in sources(root, "appliance")
        if (loads := loads_code(ast.parse(file.read_text())))
    }
    assert found == {}


@pytest.mark.parametrize(
    "code", ["import pickle", "from joblib import load", "np.load(f, allow_pickle=True)", "eval(text)"]
)
def test_unsafe_loading_is_found(code: str) -> None:
    assert loads_code(ast.parse(code))
    assert not loads_code(ast.parse("model.eval(); np.load(f, allow_pickle=False)"))


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        name = buildapi.build_wheel(str(folder))
    assert name == "backline-0.1.0-py3-none-any.whl"
    return zipfile.ZipFile(folder / name)


def test_the_wheel_ships_the_appliance_alone(root: Path, wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert {name.split("/")[0] for name in names} == {"appliance", "backline-0.1.0.dist-info"}
    assert {str(file.relative_to(root)) for file in sources(root, "appliance")} <= names
    assert "appliance/py.typed" in names
    assert any(name.endswith("LICENSE") for name in names)


def test_the_wheel_offers_the_command_and_asks_for_the_runtime(wheel: zipfile.ZipFile) -> None:
    info = "backline-0.1.0.dist-info"
    assert "backline=appliance.cli.main:main" in wheel.read(f"{info}/entry_points.txt").decode().replace(
        " ", ""
    )
    described = wheel.read(f"{info}/METADATA").decode()
    assert "Requires-Python: >=3.10" in described
    assert "License-Expression: Apache-2.0" in described
    needed = [Requirement(r) for r in re.findall(r"^Requires-Dist: (.+)$", described, re.MULTILINE)]
    base = {r.name for r in needed if not (r.marker and "extra ==" in str(r.marker))}
    assert {"numpy", "openvino", "soundfile"} <= base
    assert not base & {"torch", "onnx", "nncf", "onnxruntime"}


def locked(file: Path) -> dict[str, set[str]]:
    """Name -> versions of a lock file."""
    versions: dict[str, set[str]] = {}
    for line in file.read_text().splitlines():
        if match := re.match(r"([a-z0-9.-]+)==([^ ;]+)", line):
            versions.setdefault(match[1].replace("_", "-"), set()).add(match[2])
    return versions


@pytest.mark.parametrize("name", ["runtime", "tools"])
def test_locks_are_whole_and_portable(root: Path, name: str) -> None:
    """Every entry has hashes; no index, address or path of some machine is written down."""
    text = (root / "requirements" / f"{name}.txt").read_text()
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE).strip())
    assert len(entries) > 15
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []
    assert not re.search(r"://|--(extra-)?index|--find-links|(?<![\w-])/(?!/)\w", text)


def test_locks_leave_out_what_they_must(root: Path) -> None:
    runtime, tools = (locked(root / "requirements" / f"{name}.txt") for name in ("runtime", "tools"))
    never = {"openvino-telemetry", "pyaudio", "torch", "triton"}
    assert not runtime.keys() & {*never, "onnx", "nncf", "onnxruntime", "scipy"}
    assert not tools.keys() & never
    assert not [name for name in tools if name.startswith(("nvidia", "cuda"))]


def test_locks_agree_with_the_pins(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for lock, pins in (
        ("runtime", project["dependencies"]),
        ("tools", [*project["dependencies"], *extras["tools"], *extras["test"]]),
    ):
        versions = locked(root / "requirements" / f"{lock}.txt")
        for pin in map(Requirement, pins):
            (specifier,) = pin.specifier
            assert specifier.operator == "==", f"{pin} is not pinned"
            if pin.name != "torch":
                assert specifier.version in versions[pin.name.lower().replace("_", "-")], str(pin)
