"""Compiles graphs for measuring and runs them on reproducible random inputs.

Input lengths are those of a job: a minute for the planner, a window for the denoiser, a stretch for the fit
network.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from appliance.composing.fit import STRETCH_FRAMES
from appliance.composing.latent_drawing import DECODE_FRAMES, DECODE_MARGIN
from appliance.grid import FRAMES_PER_LATENT
from appliance.networks.compiler import FIXED, GraphCompiler
from appliance.networks.setting import GraphSetting, Precision
from appliance.packs.pack import Pack
from appliance.playing.neural_band import CHUNK_FRAMES, MARGIN_FRAMES

Array = NDArray[np.float32]
Trial = Callable[[int], list[Array]]
"""Runs a graph on the random inputs with the given draw number; returns its outputs."""

ORDER = ("denoiser", "vae_decoder", "planner", "fit", "condition", "audio_decoder")
"""Graphs by their share of a job's time, largest first. A job does not use the encoders."""

_LENGTHS = {
    "planner": 1292,
    "vae_decoder": DECODE_FRAMES + DECODE_MARGIN,
    "fit": STRETCH_FRAMES,
    "audio_decoder": CHUNK_FRAMES + 1 + 2 * MARGIN_FRAMES,
}


class Bench(Protocol):
    """What measuring needs of a pack. Tests have a fake one."""

    @property
    def graphs(self) -> tuple[str, ...]:
        """The graphs to measure, the most important first."""

    def precisions(self, graph: str) -> tuple[Precision, ...]:
        """Precisions to try for ``graph`` on this CPU, besides the shipped one."""

    def trial(self, graph: str, setting: GraphSetting) -> Trial:
        """Compile ``graph`` with ``setting``. Raises BacklineError or RuntimeError if that is impossible."""


class Workbench:
    """The bench of a real pack. Only graphs with the setting ``shipped`` use the folder ``cache``."""

    def __init__(self, pack: Pack, shipped: GraphSetting, cache: Path | None = None) -> None:
        self._pack, self._shipped = pack, shipped
        self._cached, self._compiler = GraphCompiler(pack, cache), GraphCompiler(pack)
        self._inputs: dict[tuple[str, int], dict[str, Array]] = {}

    @property
    def graphs(self) -> tuple[str, ...]:
        """The graphs of ORDER that the pack has."""
        present = self._pack.manifest.graphs.present()
        return tuple(name for name in ORDER if name in present)

    def precisions(self, graph: str) -> tuple[Precision, ...]:
        """bf16 if the CPU computes in it; f32 if the graph is quantised."""
        core = self._compiler.core
        native = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        model = core.read_model(self._pack.graph_path(graph))
        quantised = any(node.get_type_name() == "FakeQuantize" for node in model.get_ops())
        return (*(("bf16",) if native else ()), *(("f32",) if quantised else ()))

    def trial(self, graph: str, setting: GraphSetting) -> Trial:
        """Compile ``graph`` with ``setting``. Raises BacklineError or RuntimeError if that is impossible."""
        compiler = self._cached if setting == self._shipped else self._compiler
        compiled = compiler.compiled(graph, setting)
        request = compiled.create_infer_request()

        def evaluate(draw: int) -> list[Array]:
            found = request.infer(self._drawn(graph, compiled.inputs, draw))
            return [found[port].copy() for port in compiled.outputs]

        return evaluate

    def _drawn(self, graph: str, ports: Any, draw: int) -> dict[str, Array]:
        if (graph, draw) not in self._inputs:
            random = np.random.default_rng([zlib.crc32(graph.encode()), draw])
            inputs = {port.any_name: self._input(graph, port, random) for port in ports}
            if graph == "denoiser":
                inputs.update(self._encoded_condition(draw))
                inputs["context"] *= inputs["known"]
            self._inputs[graph, draw] = inputs
        return self._inputs[graph, draw]

    def _encoded_condition(self, draw: int) -> dict[str, Array]:
        """Tokens, keys and values from the condition encoder: random numbers would not be realistic."""
        compiled, request = self._condition
        found = request.infer(self._drawn("condition", compiled.inputs, draw))
        return {name: found[name].copy() for name in ("tokens", "keys_values")}

    @cached_property
    def _condition(self) -> Any:
        compiled = self._cached.compiled("condition", self._shipped)
        return compiled, compiled.create_infer_request()

    def _input(self, graph: str, port: Any, random: np.random.Generator) -> Array:
        sampler = self._pack.manifest.sampler
        shape = self._shape(graph, port)
        match port.any_name:
            case "latent" | "context":
                normal: Array = random.standard_normal(shape, np.float32)
                return normal
            case "known":
                known = np.zeros(shape, np.float32)
                known[..., : sampler.context_frames] = 1.0
                return known
            case "valid":
                return np.ones(shape, np.float32)
            case "timestep":
                return np.full(shape, 0.5, np.float32)
            case "stride":
                return np.full(shape, 1 / sampler.steps, np.float32)
            case "style" | "group":  # the first of them
                first = np.zeros(shape, np.float32)
                first[:, 0] = 1.0
                return first
            case _:  # features, phases and other rows have values from 0 to 1
                uniform: Array = random.random(shape, np.float32)
                return uniform

    def _shape(self, graph: str, port: Any) -> tuple[int, int, int]:
        """The shape (B, R, T) of an input: batch, rows, frames."""
        batch, rows, frames = (int(d.get_length()) if d.is_static else 0 for d in port.partial_shape)
        length = self._compiler.window if graph in FIXED else _LENGTHS[graph]
        if graph == "condition":
            length *= FRAMES_PER_LATENT
        return batch or 1, rows, frames or length
