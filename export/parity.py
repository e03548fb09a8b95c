"""Compares torch, ONNX and OpenVINO IR on the same inputs, at lengths that were not traced."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openvino as ov
import torch
from numpy.typing import NDArray

from export.graphs import Graph, example

TOLERANCE = 1e-4
"""Largest allowed error of an output, relative to its largest value. Another order of FP32 sums causes far
less."""

CHECKED_FRAMES = (32, 160)
"""Lengths in latent frames, neither of them traced: a single local block, and longer than the trace."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Largest difference between an output of ``file`` and torch's, over all checked lengths."""

    file: str
    output: str
    max_abs: float
    max_rel: float
    """``max_abs`` over the largest value of torch's output."""

    @property
    def small(self) -> bool:
        """Whether it is within the tolerance; NaN is not."""
        return self.max_rel <= TOLERANCE


def differences(graph: Graph, files: tuple[Path, ...]) -> list[Difference]:
    """Run ``graph`` in torch and from ``files``; the batch is 2 where the batch axis is dynamic."""
    worst: dict[tuple[str, str], Difference] = {}
    core = ov.Core()
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = {file: core.compile_model(file, "CPU", exact) for file in files}
    for frames in CHECKED_FRAMES:
        inputs = example(graph, 2 if graph.free_batch else 1, frames, seed=frames)
        with torch.inference_mode():
            expected = graph.module(*inputs)
        expected = expected if isinstance(expected, tuple) else (expected,)
        feed = {port.name: x.numpy() for port, x in zip(graph.inputs, inputs, strict=True)}
        for file, model in compiled.items():
            found = model(feed)
            for output, reference in zip(graph.outputs, expected, strict=True):
                seen = _difference(file.name, output, found[output], reference.numpy())
                before = worst.get((file.name, output))
                if before is None or not seen.max_rel <= before.max_rel:
                    worst[file.name, output] = seen
    return list(worst.values())


def _difference(
    file: str, output: str, found: NDArray[np.float32], expected: NDArray[np.float32]
) -> Difference:
    if found.shape != expected.shape:
        return Difference(file, output, float("inf"), float("inf"))
    max_abs = float(np.abs(found - expected).max())
    return Difference(file, output, max_abs, max_abs / max(float(np.abs(expected).max()), 1e-12))
