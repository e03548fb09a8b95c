"""The best rate of INT8 convolutions on this CPU, as an upper bound for every graph.

A chain of six 1x1 convolutions over 512 frames, 384 -> 1536 -> 384 channels three times: wide and regular,
with only the rounding between them that INT8 needs. Weights use 7 of their 8 bits, as ``quantize`` makes
them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

NARROW, WIDE, FRAMES, PAIRS = 384, 1536, 512, 3
FLOPS = 2 * NARROW * WIDE * FRAMES * 2 * PAIRS
"""Operations of one forward pass of the chain."""


def chain(int8: bool) -> Any:
    """The chain as an ``openvino.Model``; input and output are (1, 384, 512): batch, channels, frames."""
    import openvino as ov
    from openvino import opset13 as op

    random = np.random.default_rng(0)
    source = node = op.parameter([1, NARROW, FRAMES], np.float32, name="x")
    for outputs, inputs in ((WIDE, NARROW), (NARROW, WIDE)) * PAIRS:
        limit = np.float32(np.sqrt(3.0 / inputs))
        weight = random.uniform(-limit, limit, (outputs, inputs, 1)).astype(np.float32)
        if int8:
            node = op.fake_quantize(node, *map(np.float32, (-4.0, 3.96875, -4.0, 3.96875)), 256)
            reach = 2 * limit  # twice the weights' range, so half of the 255 levels (7 bits) are used
            weights = op.fake_quantize(op.constant(weight), -reach, reach, -reach, reach, 255)
        else:
            weights = op.constant(weight)
        node = op.convolution(node, weights, [1], [0], [0], [1])
    return ov.Model([node], [source], "int8_chain" if int8 else "fp32_chain")


def gflops_s(flops: float, seconds: float) -> float:
    """Rate in 10^9 operations per second."""
    return flops / seconds / 1e9


def times_the_roof(seconds: float, flops: float, roof_gflops_s: float) -> float:
    """Seconds of a forward pass relative to its seconds at the roofline's rate; 1 is the best possible."""
    return seconds * roof_gflops_s * 1e9 / flops
