"""Writes OpenVINO graphs reproducibly and without a change of precision.

OpenVINO names the nodes it adds by a counter of the process, so a second graph would get other names. It
also converts weights to FP16 by default.
"""

from __future__ import annotations

import re
from pathlib import Path

import openvino as ov


def save_graph(model: ov.Model, path: Path) -> None:
    """Write ``path`` (.xml) and its .bin; nodes without a name of their own get their index in the graph."""
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
