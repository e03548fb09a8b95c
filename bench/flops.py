"""Counts a graph's floating-point operations from its shapes; one multiply-add is two operations.

Only convolutions and matrix products count, because the roofline consists of convolutions. INT8 and FP32
graphs have equal counts. Letters: I and O input and output channels, G groups, K kernel taps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CONVOLUTIONS = frozenset({"Convolution", "GroupConvolution"})
TRANSPOSED = frozenset({"ConvolutionBackpropData", "GroupConvolutionBackpropData"})


@dataclass(frozen=True, slots=True)
class Flops:
    """Operations of one forward pass: of layers with weights, and of products of two activations."""

    convolutions: int
    products: int

    @property
    def all(self) -> int:
        """Both together."""
        return self.convolutions + self.products


def count_flops(model: Any, shapes: Mapping[str, tuple[int, ...]]) -> Flops:
    """Operations of one forward pass of ``model``, an ``openvino.Model``, with inputs of ``shapes`` by name.

    The model is reshaped in place.

    Raises:
        ValueError: a layer's shape stays dynamic.
    """
    model.reshape({name: list(shape) for name, shape in shapes.items()})
    convolutions = products = 0
    for node in model.get_ordered_ops():
        kind = node.get_type_name()
        if kind in CONVOLUTIONS:
            # weights (O, I, K) or (G, O/G, I/G, K): each output sums over input channels and taps
            skipped = 2 if kind.startswith("Group") else 1
            convolutions += 2 * _size(node.output(0)) * math.prod(_shape(node.input(1))[skipped:])
        elif kind in TRANSPOSED:
            # weights (I, O, K) or (G, I/G, O/G, K): each input goes to O/G channels and K taps
            skipped = 2 if kind.startswith("Group") else 1
            convolutions += 2 * _size(node.input(0)) * math.prod(_shape(node.input(1))[skipped:])
        elif kind == "MatMul":
            summed = _shape(node.input(0))[-2 if node.get_attributes()["transpose_a"] else -1]
            products += 2 * _size(node.output(0)) * summed
    return Flops(convolutions, products)


def _shape(port: Any) -> tuple[int, ...]:
    partial = port.get_partial_shape()
    if partial.is_dynamic:
        raise ValueError(
            f"{port.get_node().get_friendly_name()}: its shape {partial} is dynamic; give all input shapes"
        )
    return tuple(int(n) for n in partial.to_shape())


def _size(port: Any) -> int:
    return math.prod(_shape(port))
