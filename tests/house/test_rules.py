"""The rules of the house that import contracts cannot say: loaders, the wheel, the locks.

Who may import whom is said by the contracts in ``pyproject.toml`` (``make lint``).
"""

from __future__ import annotations

import ast
import re
import subprocess
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

ROOMS = ("appliance", "train", "export", "quantize", "bundle", "bench")
GUARDED = {"torch", "onnx", "nncf", *ROOMS}
"""What the contracts of pyproject.toml are about."""

UNSAFE_LOADERS = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def sources(root: Path, room: str) -> list[Path]:
    files = sorted((root / room).rglob("*.py"))
    assert files, f"no sources in {room}"
    return files


def imported(tree: ast.AST) -> Iterator[str]:
    """Names of everything a module imports by statement, at any depth of its code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def called_for(tree: ast.AST) -> Iterator[str]:
    """Names of the modules that a module imports by a call, which no contract sees; "?" for unknown ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in ("__import__", "import_module"):
            name = node.args[0] if node.args else None
            yield name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else "?"


def _called(call: ast.Call) -> str:
    """Last part of the name that is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def loads_code(tree: ast.AST) -> list[str]:
    """What in a module could run code that came with its data."""
    found = [name for name in (*imported(tree), *called_for(tree)) if name.split(".")[0] in UNSAFE_LOADERS]
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


@pytest.mark.parametrize("room", ["appliance", "train", "export", "quantize", "bundle"])
def test_no_contract_is_evaded_by_a_call(root: Path, room: str) -> None:
    evasions = [
        f"{file.relative_to(root)} imports {name}"
        for file in sources(root, room)
        for name in called_for(ast.parse(file.read_text()))
        if name == "?" or name.split(".")[0] in GUARDED
    ]
    assert evasions == []


def test_imports_by_call_are_found() -> None:
    code = "import_module('onnx')\ndef f():\n  importlib.import_module(f'train.{x}')\n  __import__('torch')"
    assert list(called_for(ast.parse(code))) == ["onnx", "?", "torch"]


def test_contracts_see_imports_in_functions(tmp_path: Path) -> None:
    """What the rules above rely on."""
    for name, code in (("low", "def f():\n    from high import g\n    import torch.nn\n"), ("high", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(code)
    graph = subprocess.run(
        [sys.executable, "-c", GRAPH], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert graph.split() == ["high", "torch"]


GRAPH = """
import grimp
graph = grimp.build_graph("low", "high", include_external_packages=True, cache_dir=None)
print(*sorted(graph.find_modules_directly_imported_by("low")))
"""


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
    assert {"appliance/py.typed", "appliance/packs/usual_dials.json"} <= names
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
