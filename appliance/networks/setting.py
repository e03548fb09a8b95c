"""The graph setting: precision and threads with which OpenVINO computes a graph on the CPU."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Precision = Literal["shipped", "f32", "bf16"]
"""``shipped``: layers that the pack stores in INT8 run in INT8, all others in float32. ``bf16``: the others
run in bfloat16, on CPUs that have it. ``f32``: activations are not quantised, so that all layers run in
float32 with the pack's INT8 weights."""

MOST_THREADS = 1024


class GraphSetting(BaseModel):
    """How one graph is computed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    precision: Precision = "shipped"
    threads: Annotated[int, Field(ge=1, le=MOST_THREADS)]
    streams: Annotated[int, Field(ge=1, le=MOST_THREADS)] = 1
    """Forward passes in parallel, which share the threads."""

    def config(self) -> dict[str, str]:
        """OpenVINO properties for compiling the graph."""
        alone = self.streams == 1
        return {
            "INFERENCE_NUM_THREADS": str(self.threads),
            **({"PERFORMANCE_HINT": "LATENCY"} if alone else {"NUM_STREAMS": str(self.streams)}),
            # Always set: by default OpenVINO uses bf16 if the CPU has it, and results would differ by CPU.
            "INFERENCE_PRECISION_HINT": "bf16" if self.precision == "bf16" else "f32",
        }

    def cache_config(self) -> dict[str, str]:
        """Everything in which compiled graphs differ: the properties and the change by :meth:`prepare`."""
        return self.config() if self.precision != "f32" else {**self.config(), "quantisers": "none"}

    def prepare(self, model: Any) -> None:
        """Change an ``openvino.Model`` in place for this precision, before it is compiled."""
        if self.precision != "f32":
            return
        for node in model.get_ordered_ops():  # only activations have FakeQuantize nodes; weights are INT8
            if node.get_type_name() == "FakeQuantize":
                node.output(0).replace(node.input_value(0))

    def __str__(self) -> str:
        return f"{self.precision}, {self.threads} thread{'' if self.threads == 1 else 's'}"
