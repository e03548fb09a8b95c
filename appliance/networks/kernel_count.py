"""Counts the kernels that OpenVINO chose for a compiled graph.

A layer with INT8 weights may still run in FP32, because of its layout or because the CPU lacks the kernel.
Only the execution graph shows this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PRODUCTS = frozenset({"Convolution", "GroupConvolution", "FullyConnected"})
"""Execution-graph layers that multiply by weights."""


@dataclass(frozen=True, slots=True)
class KernelCount:
    """Weighted layers of one compiled graph.

    ``primitives`` maps the name of each kernel (``jit_avx2_1x1_I8``) to the number of layers that run it.
    """

    primitives: Mapping[str, int]

    @property
    def layers(self) -> int:
        """Number of weighted layers."""
        return sum(self.primitives.values())

    @property
    def int8(self) -> int:
        """Number of weighted layers that run an INT8 kernel."""
        return sum(count for name, count in self.primitives.items() if name.lower().endswith(("_i8", "_u8")))

    @property
    def int8_share(self) -> float:
        """Share of INT8 layers, 0-1; 0.0 if there are no weighted layers."""
        return self.int8 / self.layers if self.layers else 0.0


def count_kernels(compiled: Any) -> KernelCount:
    """Count the kernels of ``compiled``, an ``openvino.CompiledModel`` on the CPU.

    Depthwise convolutions count like others. Layers that OpenVINO folded into others do not count.
    """
    primitives: Counter[str] = Counter()
    for node in compiled.get_runtime_model().get_ordered_ops():
        info = node.get_rt_info()
        if _text(info, "layerType") in PRODUCTS:
            primitives[_text(info, "primitiveType")] += 1
    return KernelCount(dict(primitives.most_common()))


def _text(info: Any, key: str) -> str:
    return str(info[key].astype(str)) if key in info else ""
