"""Which kernels OpenVINO chose for a compiled graph.

A graph with INT8 weights may still run in FP32 (a layout the library cannot take, a processor without
the kernel). Only the execution graph knows, so that is what is counted here.
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

    ``primitives`` maps each kernel's name (``jit_avx2_1x1_I8``) to how many layers run it.
    """

    primitives: Mapping[str, int]

    @property
    def layers(self) -> int:
        """All weighted layers."""
        return sum(self.primitives.values())

    @property
    def int8(self) -> int:
        """Those that run an INT8 kernel."""
        return sum(count for name, count in self.primitives.items() if name.lower().endswith(("_i8", "_u8")))

    @property
    def int8_share(self) -> float:
        """INT8 layers of all, 0-1; 0.0 without weighted layers."""
        return self.int8 / self.layers if self.layers else 0.0


def count_kernels(compiled: Any) -> KernelCount:
    """Count the kernels of ``compiled``, an ``openvino.CompiledModel`` on the CPU.

    A depthwise convolution counts as any other. Layers that were folded away do not count.
    """
    primitives: Counter[str] = Counter()
    for node in compiled.get_runtime_model().get_ordered_ops():
        info = node.get_rt_info()
        if _text(info, "layerType") in PRODUCTS:
            primitives[_text(info, "primitiveType")] += 1
    return KernelCount(dict(primitives.most_common()))


def _text(info: Any, key: str) -> str:
    return str(info[key].astype(str)) if key in info else ""
