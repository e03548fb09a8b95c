"""The pack's graphs, compiled for this processor and called with NumPy arrays.

Letters: B batch (1, or 2 with guidance), Z latents, N latent frames, T = 2 N score frames, P = T/4 plan
frames, S styles + 1, R rows of a roll.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.errors import PackError
from appliance.graph_cache import GraphCache
from appliance.pack import Pack
from appliance.score import FRAMES_PER_LATENT

Array = NDArray[np.float32]


class Graphs:
    """Planner, condition encoder, denoiser and VAE decoder of one pack.

    The graphs of the denoising loop are compiled for windows of one length, which is faster than a free
    axis; planner and decoder keep theirs free. Compiling goes on in a thread after the constructor has
    returned: a recording can be read meanwhile. ``cache`` is a folder for what was compiled.
    """

    def __init__(self, pack: Pack, threads: int | None = None, cache: Path | None = None) -> None:
        self._config = {
            "INFERENCE_NUM_THREADS": str(threads or os.cpu_count() or 1),
            "PERFORMANCE_HINT": "LATENCY",
            # bf16 where the processor has it would give each machine its own music.
            "INFERENCE_PRECISION_HINT": "f32",
        }
        sampler = pack.manifest.sampler
        self.window = sampler.window_frames
        self.batch = 1 if sampler.guidance == 1.0 else 2
        self._pack = pack
        self._cache_folder = cache
        self._lock = threading.Lock()
        self._requests: dict[str, Any] = {}
        self._compiler = ThreadPoolExecutor(1, "compile")
        names = ["planner", "condition", "denoiser", "vae_decoder"]
        if pack.manifest.fit is not None:
            names.append("fit")
        self._coming = [self._compiler.submit(self._request, name) for name in names]

    def ready(self) -> None:
        """Waits until all that every job needs is compiled.

        Raises:
            PackError: a graph cannot be read or compiled.
        """
        for one in self._coming:
            one.result()

    def close(self) -> None:
        """Compiles no further graphs."""
        self._compiler.shutdown(wait=False, cancel_futures=True)

    def _request(self, name: str) -> Any:
        """The request of a graph; one that most jobs do without is compiled when it is first wanted."""
        if name in self._requests:  # without waiting for the graph that is just being compiled
            return self._requests[name]
        with self._lock:
            if name not in self._requests:
                self._requests[name] = self._compiled(name).create_infer_request()
            return self._requests[name]

    def _compiled(self, name: str) -> Any:
        path = self._pack.graph_path(name)
        shape = (self.batch, self.window) if name in ("condition", "denoiser") else (0, 0)
        try:
            stored = self._cache.read(name, shape) if self._cache else None
            if stored is not None:
                with suppress(RuntimeError):
                    return self._core.import_model(stored, "CPU", self._config)
            model = self._core.read_model(path)
            if shape != (0, 0):
                model.reshape({port: _fixed(port, *shape) for port in model.inputs})
            compiled = self._core.compile_model(model, "CPU", self._config)
            if self._cache:
                with suppress(RuntimeError):
                    self._cache.write(name, shape, bytes(compiled.export_model().getbuffer()))
            return compiled
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise PackError(f"{path}: cannot be compiled ({reason}); fetch the pack again.") from error

    @cached_property
    def _core(self) -> Any:
        """OpenVINO's core; imported late, so that ``backline --help`` needs no processor it lacks."""
        import openvino

        return openvino.Core()

    @cached_property
    def _cache(self) -> GraphCache | None:
        return GraphCache(self._cache_folder, self._pack, self._config) if self._cache_folder else None

    def plan(self, features: Array, phases: Array) -> tuple[Array, Array, Array]:
        """Features (64, T) and phases (5, T) -> plan (24, P), key (24,) and beats (2, T), all 0-1."""
        found = self._request("planner").infer({"features": features[None], "phases": phases[None]})
        plan, key, beats = (found[name][0].copy() for name in ("plan", "key", "beats"))
        return plan, key.reshape(-1), beats

    def condition(self, rows: Array, style: Array) -> tuple[Array, Array]:
        """Rows (B, CONDITION_ROWS, 2 W) and style (B, S, 1) -> tokens (B, C, W) and keys_values."""
        found = self._request("condition").infer({"rows": rows, "style": style})
        return found["tokens"].copy(), found["keys_values"].copy()

    def velocity(self, inputs: dict[str, Array]) -> Array:
        """One evaluation of the denoiser; (B, Z, W)."""
        velocity: Array = self._request("denoiser").infer(inputs)["velocity"].copy()
        return velocity

    def decode(self, latent: Array) -> Array:
        """Normalised latent (Z, N) -> roll probabilities (R, 2 N)."""
        roll: Array = self._request("vae_decoder").infer({"latent": latent[None]})["roll"][0].copy()
        return roll

    def gains(self, rows: Array, style: Array, group: Array) -> Array:
        """The audio decoder: rows (R, F), style (S, 1), group (G, 1) -> log gains (GAIN_ROWS, F)."""
        inputs = {"rows": rows[None], "style": style[None], "group": group[None]}
        gains: Array = self._request("audio_decoder").infer(inputs)["gains"][0].copy()
        return gains

    def hear(self, spectrum: Array, style: Array) -> Array:
        """The audio encoder: spectrum (SPECTRUM_ROWS, T), style (S, 1) -> roll probabilities (R, T)."""
        inputs = {"spectrum": spectrum[None], "style": style[None]}
        roll: Array = self._request("audio_encoder").infer(inputs)["roll"][0].copy()
        return roll

    def encode(self, roll: Array) -> Array:
        """Roll (R, 2 N) -> normalised latent (Z, N)."""
        latent: Array = self._request("vae_encoder").infer({"roll": roll[None]})["latent"][0].copy()
        return latent

    def fit(self, features: Array, phases: Array, band: Array) -> float:
        """Features (64, T), phases (5, T), band rows (BAND_ROWS, T) -> log odds that they belong together."""
        inputs = {"features": features[None], "phases": phases[None], "band": band[None]}
        return float(self._request("fit").infer(inputs)["log_odds"].reshape(()))


def _fixed(port: Any, batch: int, frames: int) -> Sequence[int]:
    """The port's shape with its free axes set: the batch, and the time axis at its own rate."""
    shape = [int(d.get_length()) if d.is_static else 0 for d in port.partial_shape]
    shape[0] = batch
    if shape[2] == 0:
        shape[2] = frames * (FRAMES_PER_LATENT if port.any_name == "rows" else 1)
    return shape
