"""Writes OpenVINO graphs so that the same graph gives the same bytes, in the precision it has.

OpenVINO numbers nodes as they are made, so a second graph of one process gets other names; and it
halves weights to FP16 unless told not to.
"""

from __future__ import annotations

from pathlib import Path

import openvino as ov


def save_graph(model: ov.Model, path: Path) -> None:
    """Write ``path`` (.xml) and its .bin; nodes other than inputs and outputs are named by their order."""
    for index, node in enumerate(model.get_ordered_ops()):
        if node.get_type_name() not in ("Parameter", "Result"):
            node.set_friendly_name(f"{node.get_type_name()}_{index}")
    for result in model.get_results():
        result.set_friendly_name(f"{min(result.output(0).get_names())}/out")
    model.set_friendly_name(path.stem)
    ov.save_model(model, path, compress_to_fp16=False)


def graph_bytes(path: Path) -> int:
    """Size of ``path`` (.xml) and its weights together."""
    return path.stat().st_size + path.with_suffix(".bin").stat().st_size
