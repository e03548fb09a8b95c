"""A pack's graphs, compiled one way or another, from the cache of compiled graphs where that has them."""

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
"""Graphs of the denoising loop: compiled for windows of one length, which is faster than a free axis."""


class GraphCompiler:
    """Compiles the graphs of ``pack``; ``cache`` is a folder for what was compiled, None keeps nothing."""

    def __init__(self, pack: Pack, cache: Path | None = None) -> None:
        sampler = pack.manifest.sampler
        self.pack = pack
        self.window = sampler.window_frames
        self.batch = 1 if sampler.guidance == 1.0 else 2
        self._cache = cache

    def compiled(self, name: str, setting: GraphSetting) -> Any:
        """An ``openvino.CompiledModel``; raises PackError where that is impossible."""
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
        """OpenVINO's core; imported late, so that ``backline --help`` needs no processor it lacks."""
        import openvino

        return openvino.Core()


def _fixed(port: Any, batch: int, frames: int) -> Sequence[int]:
    """The port's shape with its free axes set: the batch, and the time axis at its own rate."""
    shape = [int(d.get_length()) if d.is_static else 0 for d in port.partial_shape]
    shape[0] = batch
    if shape[2] == 0:
        shape[2] = frames * (FRAMES_PER_LATENT if port.any_name == "rows" else 1)
    return shape
