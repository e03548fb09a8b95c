"""The pack's graphs, compiled for this processor and called with NumPy arrays.

Letters: B batch (1, or 2 with guidance), Z latents, N latent frames, T = 2 N score frames, P = T/4 plan
frames, S styles + 1, R rows of a roll.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.graph_compiler import GraphCompiler
from appliance.pack import Pack
from appliance.tuning.setting import Setting

Array = NDArray[np.float32]


class Graphs:
    """Planner, condition encoder, denoiser and VAE decoder of one pack.

    The graphs of the denoising loop are compiled for windows of one length, which is faster than a free
    axis; planner and decoder keep theirs free. Compiling goes on in a thread after the constructor has
    returned: a recording can be read meanwhile. ``cache`` is a folder for what was compiled, ``settings``
    says of graphs by name how to compute them if not as shipped with ``threads``.
    """

    def __init__(
        self,
        pack: Pack,
        threads: int | None = None,
        cache: Path | None = None,
        settings: Mapping[str, Setting] | None = None,
    ) -> None:
        self._shipped = Setting(threads=threads or len(os.sched_getaffinity(0)))
        self._settings = settings or {}
        self._compiler = GraphCompiler(pack, cache)
        self.window, self.batch = self._compiler.window, self._compiler.batch
        self._lock = threading.Lock()
        self._requests: dict[str, Any] = {}
        self._worker = ThreadPoolExecutor(1, "compile")
        names = ["planner", "condition", "denoiser", "vae_decoder"]
        if pack.manifest.fit is not None:
            names.append("fit")
        self._coming = [self._worker.submit(self._request, name) for name in names]

    def setting(self, name: str) -> Setting:
        """How graph ``name`` is computed."""
        return self._settings.get(name, self._shipped)

    def ready(self) -> None:
        """Waits until all that every job needs is compiled.

        Raises:
            PackError: a graph cannot be read or compiled.
        """
        for one in self._coming:
            one.result()

    def close(self) -> None:
        """Compiles no further graphs."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _request(self, name: str) -> Any:
        """The request of a graph; one that most jobs do without is compiled when it is first wanted."""
        if name in self._requests:  # without waiting for the graph that is just being compiled
            return self._requests[name]
        with self._lock:
            if name not in self._requests:
                compiled = self._compiler.compiled(name, self.setting(name))
                self._requests[name] = compiled.create_infer_request()
            return self._requests[name]

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
