"""Writes OpenVINO graphs so that the same graph gives the same bytes, in the precision it has.

OpenVINO numbers the nodes it adds as they are made, so a second graph of one process gets other names;
and it halves weights to FP16 unless told not to.
"""

from __future__ import annotations

import re
from pathlib import Path

import openvino as ov


def save_graph(model: ov.Model, path: Path) -> None:
    """Write ``path`` (.xml) and its .bin; numbered nodes are numbered by their order in the graph."""
    for index, node in enumerate(model.get_ordered_ops()):
        name = node.get_friendly_name()
        if node.get_type_name() == "Result":
            node.set_friendly_name(f"{min(node.output(0).get_names())}/out")
        elif re.fullmatch(rf"(Constant|{node.get_type_name()})_\d+(/.*)?", name):
            node.set_friendly_name(f"{node.get_type_name()}_at_{index}")
    model.set_friendly_name(path.stem)
    ov.save_model(model, path, compress_to_fp16=False)


def graph_bytes(path: Path) -> int:
    """Size of ``path`` (.xml) and its weights together."""
    return path.stat().st_size + path.with_suffix(".bin").stat().st_size
