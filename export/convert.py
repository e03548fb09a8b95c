"""torch -> ONNX -> OpenVINO in FP32, with a dynamic time axis (and batch axis for denoiser and condition)."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from pathlib import Path

import onnx
import openvino as ov
import torch

from export.graphs import Graph, example

TRACED_FRAMES = 64
"""Length of the traced example, in latent frames."""

OPSET = 17

WITHOUT_TIME = ("key", "log_odds", "table")
"""Outputs without a time axis: the same size for every length of the input."""

WEIGHTED = ("Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData")
"""OpenVINO operations that have weights."""


class ExportError(Exception):
    """A graph was not exported correctly; the text names it and says what is wrong."""


def to_onnx(graph: Graph, path: Path) -> None:
    """Trace ``graph`` and write it to ``path`` as ONNX.

    A Python number computed from a shape would become a constant of the graph. The tracer only warns about
    that; here it is an error.

    Raises:
        ExportError: the network turns the traced length into a constant.
    """
    axes: dict[str, dict[int, str]] = {}
    for port in graph.inputs:
        axes[port.name] = {2: f"{port.name}_frames"} if port.per_latent else {}
    for output in graph.outputs:
        axes[output] = {} if output in WITHOUT_TIME else {2: f"{output}_frames"}
    if graph.free_batch:
        for free in axes.values():
            free[0] = "batch"
    inputs = example(graph, 1, TRACED_FRAMES, seed=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.onnx.export(
            graph.module,
            inputs,
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=[port.name for port in graph.inputs],
            output_names=list(graph.outputs),
            dynamic_axes=axes,
        )
    for warning in caught:
        text = str(warning.message)
        if issubclass(warning.category, torch.jit.TracerWarning):
            raise ExportError(
                f"{graph.name}: the traced length would be frozen into the graph ({text.splitlines()[0]}); "
                "compute it with tensor operations"
            )
        # Two warnings are expected: dynamo=False selects the older exporter, and it does not fold a slice
        # with steps into a constant.
        if warning.category is not DeprecationWarning and not text.startswith("Constant folding"):
            warnings.warn_explicit(text, warning.category, warning.filename, warning.lineno)
    onnx.checker.check_model(str(path), full_check=True)


def to_ir(graph: Graph, onnx_path: Path) -> Path:
    """Convert to OpenVINO IR beside ``onnx_path``, keeping FP32; returns the path of the .xml.

    Raises:
        ExportError: the ONNX file has its outputs in another order than ``graph``.
    """
    path = onnx_path.with_suffix(".xml")
    model = ov.Core().read_model(onnx_path)
    for index, node in enumerate(model.get_ordered_ops()):
        # OpenVINO numbers the nodes it adds by a counter of the process; a second export would get other
        # names.
        if re.fullmatch(rf"{node.get_type_name()}_\d+", node.get_friendly_name()):
            node.set_friendly_name(f"{node.get_type_name()}_at_{index}")
    for port, name in zip(model.outputs, graph.outputs, strict=True):
        if name not in port.names:
            raise ExportError(f"{graph.name}: output {name} is missing or not in its place")
        port.tensor.set_names({name})  # drops the names of nodes that were optimised away
    ov.save_model(model, path, compress_to_fp16=False)
    return path


def operations(path: Path) -> Counter[str]:
    """Number of operations of each type in an OpenVINO graph."""
    return Counter(node.get_type_name() for node in ov.Core().read_model(path).get_ops())


def check_operations(graph: Graph, found: Counter[str]) -> None:
    """Check that only attention multiplies matrices, and that the graph has convolutions at all.

    Raises:
        ExportError: a token-wise layer is a matrix product, or no convolution is left.
    """
    if found["MatMul"] != graph.matmuls:
        raise ExportError(
            f"{graph.name}: {found['MatMul']} matrix products, but attention has {graph.matmuls}; "
            "write token-wise layers as Conv1d(kernel_size=1)"
        )
    if not sum(found[kind] for kind in WEIGHTED):
        raise ExportError(
            f"{graph.name}: no convolution in the graph; its weights were lost in the conversion"
        )
