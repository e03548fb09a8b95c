"""Reads graphs and report of a quantised pack; makes a graph with a known output."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as op

from appliance.packs.pack import Pack

CORE = ov.Core()


def read(pack: Pack, graph: str) -> ov.Model:
    return CORE.read_model(pack.graph_path(graph))


def report_of(pack: Pack) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((pack.folder / "quantize-report.json").read_text())
    return report


def scaled(factor: float) -> ov.Model:
    """A graph that multiplies its input x (1, 2, T) by ``factor``."""
    x = op.parameter([1, 2, -1], np.float32, name="x")
    x.output(0).set_names({"x"})
    result = op.result(op.multiply(x, op.constant(np.float32(factor))))
    result.output(0).set_names({"y"})
    return ov.Model([result], [x], "scaled")
