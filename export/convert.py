"""torch -> ONNX -> OpenVINO in FP32, with the time axis (and the denoiser's batch) left free."""

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
"""Latent frames of the trace."""

OPSET = 17

WITHOUT_TIME = ("key", "log_odds")
"""Outputs that say one thing of the whole input."""

WEIGHTED = ("Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData")
"""OpenVINO operations that multiply by weights."""


class ExportError(Exception):
    """A graph did not come out as it must; the text says which and how."""


def to_onnx(graph: Graph, path: Path) -> None:
    """Trace ``graph`` into ``path``.

    A Python number computed from a shape would freeze the traced length into the graph; the tracer only
    warns about that, here it is an error.

    Raises:
        ExportError: something in the network depends on the traced size.
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
            raise ExportError(f"{graph.name}: the traced length would be frozen in ({text.splitlines()[0]})")
        # Known: dynamo=False is the older exporter; a slice with steps is not folded, only kept.
        if warning.category is not DeprecationWarning and not text.startswith("Constant folding"):
            warnings.warn_explicit(text, warning.category, warning.filename, warning.lineno)
    onnx.checker.check_model(str(path), full_check=True)


def to_ir(graph: Graph, onnx_path: Path) -> Path:
    """Convert to OpenVINO's own format beside ``onnx_path``, keeping FP32; returns the .xml."""
    path = onnx_path.with_suffix(".xml")
    model = ov.Core().read_model(onnx_path)
    for index, node in enumerate(model.get_ordered_ops()):
        # OpenVINO numbers the nodes it adds as it makes them: a second export would get other names.
        if re.fullmatch(rf"{node.get_type_name()}_\d+", node.get_friendly_name()):
            node.set_friendly_name(f"{node.get_type_name()}_at_{index}")
    for port, name in zip(model.outputs, graph.outputs, strict=True):
        if name not in port.names:
            raise ExportError(f"{graph.name}: its outputs are in another order than expected")
        port.tensor.set_names({name})  # not also that of some node which was optimised away
    ov.save_model(model, path, compress_to_fp16=False)
    return path


def operations(path: Path) -> Counter[str]:
    """How many operations of each type an OpenVINO graph has."""
    return Counter(node.get_type_name() for node in ov.Core().read_model(path).get_ops())


def check_operations(graph: Graph, found: Counter[str]) -> None:
    """Are all token-wise layers convolutions, and are the weights FP32?

    Raises:
        ExportError: with what was found instead.
    """
    if found["MatMul"] != graph.matmuls:
        raise ExportError(
            f"{graph.name}: {found['MatMul']} matrix products, but attention has {graph.matmuls}; "
            "write token-wise layers as Conv1d(kernel_size=1)"
        )
    if not sum(found[kind] for kind in WEIGHTED):
        raise ExportError(f"{graph.name}: no convolution arrived in the graph")
