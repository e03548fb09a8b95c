"""The pack's graphs, compiled for this processor and called with NumPy arrays.

Letters: B batch (1, or 2 with guidance), Z latents, N latent frames, T = 2 N score frames, P = T/4 plan
frames, S styles + 1, R rows of a roll.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.errors import PackError
from appliance.pack import Pack
from appliance.score import FRAMES_PER_LATENT

Array = NDArray[np.float32]


def _core() -> Any:
    """OpenVINO's core; imported late, so that ``backline --help`` needs no processor it lacks."""
    import openvino

    return openvino.Core()


class Graphs:
    """Planner, condition encoder, denoiser and VAE decoder of one pack.

    The graphs of the denoising loop are compiled for windows of one length, which is faster than a free
    axis; planner and decoder keep theirs free.

    Raises:
        PackError: a graph cannot be read or compiled.
    """

    def __init__(self, pack: Pack, threads: int | None = None) -> None:
        self._core = _core()
        self._config = {
            "INFERENCE_NUM_THREADS": str(threads or os.cpu_count() or 1),
            "PERFORMANCE_HINT": "LATENCY",
            # bf16 where the processor has it would give each machine its own music.
            "INFERENCE_PRECISION_HINT": "f32",
        }
        sampler = pack.manifest.sampler
        self.window = sampler.window_frames
        self.batch = 1 if sampler.guidance == 1.0 else 2
        self._planner = self._compiled(pack, "planner")
        self._decoder = self._compiled(pack, "vae_decoder")
        self._condition = self._compiled(pack, "condition", batch=self.batch, frames=self.window)
        self._denoiser = self._compiled(pack, "denoiser", batch=self.batch, frames=self.window)
        self._pack = pack
        self._on_demand: dict[str, Any] = {}

    def _compiled(self, pack: Pack, name: str, batch: int = 0, frames: int = 0) -> Any:
        path = pack.graph_path(name)
        try:
            model = self._core.read_model(path)
            if batch:
                model.reshape({port: _fixed(port, batch, frames) for port in model.inputs})
            return self._core.compile_model(model, "CPU", self._config).create_infer_request()
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise PackError(f"{path}: cannot be compiled ({reason}); fetch the pack again.") from error

    def plan(self, features: Array, phases: Array) -> tuple[Array, Array, Array]:
        """Features (64, T) and phases (5, T) -> plan (24, P), key (24,) and beats (2, T), all 0-1."""
        found = self._planner.infer({"features": features[None], "phases": phases[None]})
        plan, key, beats = (found[name][0].copy() for name in ("plan", "key", "beats"))
        return plan, key.reshape(-1), beats

    def condition(self, rows: Array, style: Array) -> tuple[Array, Array]:
        """Rows (B, CONDITION_ROWS, 2 W) and style (B, S, 1) -> tokens (B, C, W) and keys_values."""
        found = self._condition.infer({"rows": rows, "style": style})
        return found["tokens"].copy(), found["keys_values"].copy()

    def velocity(self, inputs: dict[str, Array]) -> Array:
        """One evaluation of the denoiser; (B, Z, W)."""
        velocity: Array = self._denoiser.infer(inputs)["velocity"].copy()
        return velocity

    def decode(self, latent: Array) -> Array:
        """Normalised latent (Z, N) -> roll probabilities (R, 2 N)."""
        roll: Array = self._decoder.infer({"latent": latent[None]})["roll"][0].copy()
        return roll

    def gains(self, rows: Array, style: Array, group: Array) -> Array:
        """The audio decoder: rows (R, F), style (S, 1), group (G, 1) -> log gains (GAIN_ROWS, F)."""
        inputs = {"rows": rows[None], "style": style[None], "group": group[None]}
        gains: Array = self._demanded("audio_decoder").infer(inputs)["gains"][0].copy()
        return gains

    def hear(self, spectrum: Array, style: Array) -> Array:
        """The audio encoder: spectrum (SPECTRUM_ROWS, T), style (S, 1) -> roll probabilities (R, T)."""
        inputs = {"spectrum": spectrum[None], "style": style[None]}
        roll: Array = self._demanded("audio_encoder").infer(inputs)["roll"][0].copy()
        return roll

    def encode(self, roll: Array) -> Array:
        """Roll (R, 2 N) -> normalised latent (Z, N)."""
        latent: Array = self._demanded("vae_encoder").infer({"roll": roll[None]})["latent"][0].copy()
        return latent

    def fit(self, features: Array, phases: Array, band: Array) -> float:
        """Features (64, T), phases (5, T), band rows (BAND_ROWS, T) -> log odds that they belong together."""
        inputs = {"features": features[None], "phases": phases[None], "band": band[None]}
        return float(self._demanded("fit").infer(inputs)["log_odds"].reshape(()))

    def _demanded(self, name: str) -> Any:
        """A graph that most jobs do without, compiled when it is first wanted."""
        if name not in self._on_demand:
            self._on_demand[name] = self._compiled(self._pack, name)
        return self._on_demand[name]


def _fixed(port: Any, batch: int, frames: int) -> Sequence[int]:
    """The port's shape with its free axes set: the batch, and the time axis at its own rate."""
    shape = [int(d.get_length()) if d.is_static else 0 for d in port.partial_shape]
    shape[0] = batch
    if shape[2] == 0:
        shape[2] = frames * (FRAMES_PER_LATENT if port.any_name == "rows" else 1)
    return shape
