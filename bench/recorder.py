"""Records OpenVINO's calls while a job runs: which graphs, how often, with which inputs.

It patches OpenVINO, not the appliance, so it counts every forward pass however the appliance is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

Inputs = dict[str, NDArray[np.float32]]


@dataclass
class Recording:
    """Forward passes of this process since :func:`recording` began.

    ``calls`` counts them by graph and input shapes. ``inputs`` holds the inputs of one pass of each graph:
    the second if there is one, since the first may be untypical (noise, silence). ``requests`` are inference
    requests of the compiled graphs.
    """

    calls: Counter[tuple[str, tuple[tuple[str, tuple[int, ...]], ...]]] = field(default_factory=Counter)
    inputs: dict[str, Inputs] = field(default_factory=dict)
    requests: dict[str, Any] = field(default_factory=dict)

    def forward_passes(self, graph: str) -> int:
        """Number of forward passes of ``graph``."""
        return sum(count for (name, _), count in self.calls.items() if name == graph)

    def _record(self, request: Any, given: Any) -> None:
        name = _name(request)
        inputs = {str(key): np.array(value, np.float32) for key, value in dict(given).items()}
        if self.forward_passes(name) <= 1:
            self.inputs[name] = inputs
        self.calls[name, tuple(sorted((key, value.shape) for key, value in inputs.items()))] += 1
        self.requests[name] = request


@contextmanager
def recording() -> Iterator[Recording]:
    """Record all forward passes until the block ends."""
    import openvino

    made = Recording()
    infer, start = openvino.InferRequest.infer, openvino.InferRequest.start_async
    create = openvino.CompiledModel.create_infer_request

    def heard_infer(request: Any, inputs: Any = None, *others: Any, **more: Any) -> Any:
        made._record(request, inputs or {})
        return infer(request, inputs, *others, **more)

    def heard_start(request: Any, inputs: Any = None, *others: Any, **more: Any) -> Any:
        made._record(request, inputs or {})
        return start(request, inputs, *others, **more)

    def heard_create(compiled: Any) -> Any:
        request = create(compiled)
        made.requests.setdefault(_name(request), request)  # a request that was used replaces it
        return request

    with (
        mock.patch.object(openvino.InferRequest, "infer", heard_infer),
        mock.patch.object(openvino.InferRequest, "start_async", heard_start),
        mock.patch.object(openvino.CompiledModel, "create_infer_request", heard_create),
    ):
        yield made


def _name(request: Any) -> str:
    """Name of the request's graph, which is the name of its file in the pack."""
    return str(request.get_compiled_model().get_property("NETWORK_NAME"))


def write_inputs(path: Path, inputs: dict[str, Inputs]) -> None:
    """Store inputs as ``GRAPH/INPUT`` arrays of one .npz file."""
    np.savez(path, **{f"{graph}/{key}": a for graph, arrays in inputs.items() for key, a in arrays.items()})


def read_inputs(path: Path) -> dict[str, Inputs]:
    """Read what :func:`write_inputs` stored: arrays by graph and input."""
    found: dict[str, Inputs] = {}
    with np.load(path, allow_pickle=False) as arrays:
        for key in arrays.files:
            graph, _, name = key.partition("/")
            found.setdefault(graph, {})[name] = arrays[key]
    return found
