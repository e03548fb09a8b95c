"""One way of computing a graph, for OpenVINO on the CPU."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Precision = Literal["shipped", "f32", "bf16"]
"""``shipped``: the layers that the pack holds in INT8 in INT8, all else in float32. ``bf16``: all else in
bfloat16, for processors that have it. ``f32``: the quantisers of activations are passed by, so that every
layer is computed in float32, with the pack's INT8 weights."""

MOST_THREADS = 1024


class GraphSetting(BaseModel):
    """How a graph is computed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    precision: Precision = "shipped"
    threads: Annotated[int, Field(ge=1, le=MOST_THREADS)]
    streams: Annotated[int, Field(ge=1, le=MOST_THREADS)] = 1
    """Evaluations side by side, which share the threads."""

    def config(self) -> dict[str, str]:
        """Properties to compile with."""
        alone = self.streams == 1
        return {
            "INFERENCE_NUM_THREADS": str(self.threads),
            **({"PERFORMANCE_HINT": "LATENCY"} if alone else {"NUM_STREAMS": str(self.streams)}),
            # Said always: by itself the library takes bf16 where the processor has it, and each machine
            # would have its own music.
            "INFERENCE_PRECISION_HINT": "bf16" if self.precision == "bf16" else "f32",
        }

    def cache_config(self) -> dict[str, str]:
        """What tells one compiled graph from another: the properties, and what :meth:`prepare` did."""
        return self.config() if self.precision != "f32" else {**self.config(), "quantisers": "none"}

    def prepare(self, model: Any) -> None:
        """Makes an ``openvino.Model`` fit to be compiled this way."""
        if self.precision != "f32":
            return
        for node in model.get_ordered_ops():  # weights are stored in INT8 as they are, without such nodes
            if node.get_type_name() == "FakeQuantize":
                node.output(0).replace(node.input_value(0))

    def __str__(self) -> str:
        return f"{self.precision}, {self.threads} thread{'' if self.threads == 1 else 's'}"
