"""Compiles a pack's graphs with a graph setting, or loads them from the cache."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from appliance.errors import PackError
from appliance.grid import FRAMES_PER_LATENT
from appliance.networks.cache import GraphCache
from appliance.networks.setting import GraphSetting
from appliance.packs.pack import Pack

FIXED = ("condition", "denoiser")
"""Graphs compiled for windows of one length, which is faster than a dynamic time axis."""


class GraphCompiler:
    """Compiles the graphs of ``pack``; ``cache`` is the folder for compiled graphs, None for no cache."""

    def __init__(self, pack: Pack, cache: Path | None = None) -> None:
        sampler = pack.manifest.sampler
        self.pack = pack
        self.window = sampler.window_frames
        self.batch = 1 if sampler.guidance == 1.0 else 2
        self._cache = cache

    def compiled(self, name: str, setting: GraphSetting) -> Any:
        """Compile graph ``name``, or load it: an ``openvino.CompiledModel``.

        Raises:
            PackError: the pack has no such graph, or OpenVINO cannot compile it.
        """
        path = self.pack.graph_path(name)
        shape = (self.batch, self.window) if name in FIXED else (0, 0)
        cache = GraphCache(self._cache, self.pack, setting.cache_config()) if self._cache else None
        try:
            stored = cache.read(name, shape) if cache else None
            if stored is not None:
                with suppress(RuntimeError):
                    return self.core.import_model(stored, "CPU", setting.config())
            model = self.core.read_model(path)
            if shape != (0, 0):
                model.reshape({port: _fixed(port, *shape) for port in model.inputs})
            setting.prepare(model)
            compiled = self.core.compile_model(model, "CPU", setting.config())
            if cache:
                with suppress(RuntimeError):
                    cache.write(name, shape, bytes(compiled.export_model().getbuffer()))
            return compiled
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise PackError(f"{path}: cannot be compiled ({reason}); fetch the pack again.") from error

    @cached_property
    def core(self) -> Any:
        """OpenVINO's core; imported late, so that ``backline --help`` also runs on an old CPU."""
        import openvino

        return openvino.Core()


def _fixed(port: Any, batch: int, frames: int) -> Sequence[int]:
    """The port's shape with fixed batch and time axis; the port ``rows`` has score frames, others latent."""
    shape = [int(d.get_length()) if d.is_static else 0 for d in port.partial_shape]
    shape[0] = batch
    if shape[2] == 0:
        shape[2] = frames * (FRAMES_PER_LATENT if port.any_name == "rows" else 1)
    return shape
