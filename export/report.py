"""Results of an export: ``export-report.json`` and ``.md`` for people, ``graphs.json`` for the quantize
room."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from appliance.packs.originals import ORIGINALS_NAME
from appliance.packs.pack import file_facts
from export.convert import TRACED_FRAMES, WEIGHTED
from export.graphs import Graph
from export.parity import CHECKED_FRAMES, TOLERANCE, Difference

GRAPHS_NAME = "graphs.json"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Exported:
    """One exported graph: its files, its operations and its differences from torch."""

    graph: Graph
    onnx: Path
    ir: Path
    operations: Counter[str]
    differences: list[Difference]

    @property
    def agrees(self) -> bool:
        """Whether every output is within the tolerance in every file."""
        return bool(self.differences) and all(d.small for d in self.differences)

    def to_json(self) -> dict[str, Any]:
        """Plain dicts and lists."""
        return {
            "parameters": self.graph.parameters,
            "convolutions": sum(self.operations[kind] for kind in WEIGHTED),
            "matmuls": self.operations["MatMul"],
            "bytes": self.ir.stat().st_size + self.ir.with_suffix(".bin").stat().st_size,
            "agrees": self.agrees,
            "differences": [asdict(d) for d in self.differences],
        }


def write_report(out: Path, exported: list[Exported]) -> None:
    """Write ``export-report.json`` and ``export-report.md``."""
    report = {
        "versions": {name: version(name) for name in ("torch", "onnx", "openvino")},
        "traced_latent_frames": TRACED_FRAMES,
        "checked_latent_frames": CHECKED_FRAMES,
        "tolerance_rel": TOLERANCE,
        "graphs": {e.graph.name: e.to_json() for e in exported},
    }
    (out / "export-report.json").write_text(json.dumps(report, indent=2) + "\n")
    (out / "export-report.md").write_text(_as_markdown(report))


def _as_markdown(report: dict[str, Any]) -> str:
    rows = []
    for name, graph in report["graphs"].items():
        for d in graph["differences"]:
            rows.append(
                f"| {name} | {graph['parameters']:,} | {graph['convolutions']} | {graph['matmuls']} "
                f"| {d['file']} | {d['output']} | {d['max_abs']:.1e} | {d['max_rel']:.1e} |"
            )
    versions = ", ".join(f"{name} {number}" for name, number in report["versions"].items())
    frames = " and ".join(str(f) for f in report["checked_latent_frames"])
    return "\n".join(
        [
            "# Export",
            "",
            f"Traced at {report['traced_latent_frames']} latent frames and batch 1. Compared with torch at"
            f" {frames} latent frames; denoiser and condition with batch 2. Tolerance:"
            f" {report['tolerance_rel']:.0e} of an output's largest value. {versions}.",
            "",
            "| graph | parameters | convolutions | matrix products | file | output | max abs | max rel |",
            "|---|---:|---:|---:|---|---|---:|---:|",
            *rows,
            "",
        ]
    )


def copy_originals(checkpoint: Path, out: Path) -> list[Path]:
    """Copy the originals of a checkpoint beside its graphs; returns the copy, or nothing if it has none."""
    copy = out / ORIGINALS_NAME
    copy.unlink(missing_ok=True)
    if not (checkpoint / ORIGINALS_NAME).is_file():
        return []
    shutil.copyfile(checkpoint / ORIGINALS_NAME, copy)
    return [copy]


def write_graphs(
    out: Path, exported: list[Exported], beside: list[Path], facts: dict[str, Any], checkpoint_sha256: str
) -> None:
    """Write ``graphs.json``: the files of every graph and those ``beside`` them, and the facts of the
    checkpoint."""
    listed = {
        e.graph.name: {
            "file": e.ir.name,
            "inputs": [port.name for port in e.graph.inputs],
            "outputs": list(e.graph.outputs),
            "parameters": e.graph.parameters,
        }
        for e in exported
    }
    files = [file for e in exported for file in (e.ir, e.ir.with_suffix(".bin"))] + beside
    manifest = {
        "schema": SCHEMA,
        "graphs": listed,
        "checkpoint_sha256": checkpoint_sha256,
        "checkpoint": facts,
        "files": {file.name: file_facts(file).model_dump() for file in files},
    }
    (out / GRAPHS_NAME).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
