"""Counts the INT8 layers of a graph, from the graph itself and not from what quantisation was asked to do.

A layer is INT8 if its weights are stored in 8 bits and its input comes from a FakeQuantize node of at most
256 levels, with only data movement between the two.
"""

from __future__ import annotations

from dataclasses import dataclass

import openvino as ov

WEIGHTED = frozenset(
    {"Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData"}
)

_DATA_MOVEMENT = frozenset(
    {"Reshape", "Transpose", "Squeeze", "Unsqueeze", "Slice", "StridedSlice", "Split", "VariadicSplit", "Pad",
     "Concat"}
)  # fmt: skip
_DEQUANTISATION = frozenset({"Convert", "Multiply", "Subtract", "Reshape", "FakeQuantize"})


@dataclass(frozen=True, slots=True)
class Coverage:
    """Counts of layers with weights and of attention products; no product should be INT8.

    ``float_layers`` names the layers that are not INT8.
    """

    layers: int
    int8: int
    float_layers: tuple[str, ...]
    matmuls: int
    int8_matmuls: int


def coverage(model: ov.Model) -> Coverage:
    """Count the layers of ``model``."""
    layers = [node for node in model.get_ordered_ops() if node.get_type_name() in WEIGHTED]
    matmuls = [node for node in model.get_ordered_ops() if node.get_type_name() == "MatMul"]
    left = tuple(
        layer_name(node)
        for node in layers
        if not (_quantised(node.input_value(0)) and _stored_in_8_bits(node.input_value(1)))
    )
    products = sum(any(_quantised(node.input_value(i)) for i in range(2)) for node in matmuls)
    return Coverage(len(layers), len(layers) - len(left), left, len(matmuls), products)


def layer_name(node: ov.Node) -> str:
    """The layer's name in the network, such as ``blocks.0/mlp/up``."""
    name: str = node.get_friendly_name()
    for ending in ("/WithoutBiases", "/Conv", "/ConvTranspose"):
        name = name.removesuffix(ending)
    return name.strip("/")


def _quantised(output: ov.Output) -> bool:
    node = output.get_node()
    kind = node.get_type_name()
    if kind == "FakeQuantize":
        return bool(node.get_attributes()["levels"] <= 256)
    if kind in _DATA_MOVEMENT:
        sources = range(node.get_input_size()) if kind == "Concat" else range(1)
        return all(_quantised(node.input_value(i)) for i in sources)
    return False


def _stored_in_8_bits(output: ov.Output) -> bool:
    node = output.get_node()
    if node.get_type_name() == "Constant":
        return node.get_element_type() in (ov.Type.i8, ov.Type.u8)
    if node.get_type_name() in _DEQUANTISATION:
        return _stored_in_8_bits(node.input_value(0))
    return False
