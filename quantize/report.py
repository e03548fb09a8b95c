"""Layers, sizes and SNR of each graph: ``quantize-report.json`` and ``.md``, and a table for the model
card."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

REPORT_NAMES = ("quantize-report.json", "quantize-report.md")


@dataclass(frozen=True, slots=True)
class GraphReport:
    """One graph before and after. ``snr_db``, by output, is against FP32 on held-out samples."""

    parameters: int
    layers: int
    int8: int
    float_layers: tuple[str, ...]
    matmuls: int
    """Attention's matrix products, all of them float."""
    fp32_bytes: int
    bytes: int
    snr_db: Mapping[str, float]
    calibration_samples: int
    held_out_samples: int

    @property
    def worst_snr_db(self) -> float:
        """Lowest SNR of all outputs in dB; inf for a graph that stayed FP32."""
        return min(self.snr_db.values(), default=math.inf)


def write_report(folder: Path, precision: str, graphs: Mapping[str, GraphReport]) -> None:
    """Write both reports into ``folder``."""
    versions = {name: version(name) for name in tools(precision)}
    listed: dict[str, Any] = {}
    for name, graph in graphs.items():
        snr = {output: round(x, 2) if math.isfinite(x) else None for output, x in graph.snr_db.items()}
        listed[name] = {**asdict(graph), "snr_db": snr}
    report = {"precision": precision, "versions": versions, "graphs": listed}
    (folder / REPORT_NAMES[0]).write_text(json.dumps(report, indent=2) + "\n")
    text = f"# Quantisation\n\n{introduction(precision)}\n\n{table(graphs)}\n"
    (folder / REPORT_NAMES[1]).write_text(text)


def tools(precision: str) -> tuple[str, ...]:
    """Packages whose versions determine the graphs."""
    return ("openvino", "nncf") if precision == "int8" else ("openvino",)


def introduction(precision: str) -> str:
    """The paragraph above the table."""
    made = ", ".join(f"{name} {version(name)}" for name in tools(precision))
    if precision == "fp32":
        return f"The graphs are FP32, for comparison ({made})."
    return (
        f"Convolutions are INT8, everything else is float ({made}). SNR compares the worst output of the "
        "INT8 graph with the FP32 graph, on held-out samples."
    )


def table(graphs: Mapping[str, GraphReport]) -> str:
    """A Markdown table with one row per graph."""
    rows = [
        "| graph | parameters | INT8 layers | attention products (float) | FP32 MB | MB | SNR dB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, g in graphs.items():
        snr = f"{g.worst_snr_db:.1f}" if math.isfinite(g.worst_snr_db) else "exact"
        rows.append(
            f"| {name} | {g.parameters:,} | {g.int8} of {g.layers} | {g.matmuls} "
            f"| {g.fp32_bytes / 1e6:.2f} | {g.bytes / 1e6:.2f} | {snr} |"
        )
    return "\n".join(rows)
