"""Run in a fresh interpreter by test_without_torch.py: the appliance without the build side, and no network.

    python tests/support/runtime_alone.py [COMMAND OPTIONS...]

Makes torch and its kin unimportable, proves that, imports every module of the appliance, then runs the
``backline`` command given. Prints one JSON object.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

BLOCKED = ("torch", "onnx", "nncf", "onnxruntime", "train", "export", "quantize")


class Blocker:
    """A finder that is asked first and refuses the build side."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"{name} is blocked", name=name)
        return None


def findable() -> list[str]:
    return [name for name in BLOCKED if importlib.util.find_spec(name) is not None]


def refused() -> list[str]:
    names = []
    for name in BLOCKED:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            names += [name] if str(error) == f"{name} is blocked" else []
    return names


def main() -> None:
    connections: list[str] = []

    def listen(event: str, arguments: tuple[object, ...]) -> None:
        if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname"):
            connections.append(f"{event} {arguments[1:]}")

    sys.addaudithook(listen)
    report: dict[str, object] = {"findable": findable()}
    sys.meta_path.insert(0, Blocker())
    report["refused"] = refused()

    import appliance

    found = pkgutil.walk_packages(appliance.__path__, "appliance.")
    modules = [module.name for module in found if not module.name.endswith("__main__")]
    for name in modules:
        importlib.import_module(name)
    report["modules"] = modules
    if len(sys.argv) > 1:
        from appliance.cli.main import main as backline

        try:
            backline()
        except SystemExit as end:
            report["exit_code"] = end.code
    report["blocked_but_loaded"] = sorted({m.split(".")[0] for m in sys.modules} & set(BLOCKED))
    report["connections"] = connections
    print("\n" + json.dumps(report))


if __name__ == "__main__":
    main()
