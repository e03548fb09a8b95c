"""The pack's graphs, compiled for this processor and called with NumPy arrays.

Letters: B batch (1, or 2 with guidance), Z latents, N latent frames, T = 2 N score frames, P = T/4 plan
frames, S styles + 1, R rows of a roll.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.networks.compiler import GraphCompiler
from appliance.networks.setting import GraphSetting
from appliance.packs.pack import Pack
from appliance.system.malloc import return_free_memory

Array = NDArray[np.float32]


WHOLE_SONG = ("planner", "fit")
"""Graphs that hear a song at once: the memory they need grows with it."""

KEPT_FRAMES = 4_096
"""What up to so many frames needed (190 s) is kept for the next evaluation, more is given back at once."""


class Graphs:
    """Planner, condition encoder, denoiser and VAE decoder of one pack.

    The graphs of the denoising loop are compiled for windows of one length, which is faster than a free
    axis; planner and decoder keep theirs free. Compiling goes on in a thread after the constructor has
    returned: a recording can be read meanwhile. ``cache`` is a folder for what was compiled, ``settings``
    says of graphs by name how to compute them if not as shipped with ``threads``.

    Any number of threads may call them at once; :meth:`for_lanes` makes that worth while.
    """

    def __init__(
        self,
        pack: Pack,
        threads: int | None = None,
        cache: Path | None = None,
        settings: Mapping[str, GraphSetting] | None = None,
    ) -> None:
        self._shipped = GraphSetting(threads=threads or len(os.sched_getaffinity(0)))
        self._settings = settings or {}
        self._compiler = GraphCompiler(pack, cache)
        self.window, self.batch = self._compiler.window, self._compiler.batch
        self._lanes = 1
        self._lock = threading.Lock()
        self._turns = {name: threading.Lock() for name in WHOLE_SONG}  # one stream: they take turns anyway
        self._compiled: dict[tuple[str, int], Any] = {}
        self._idle: dict[tuple[str, int], list[Any]] = {}
        self._worker = ThreadPoolExecutor(1, "compile")
        names = ["planner", "condition", "denoiser", "vae_decoder"]
        if pack.manifest.fit is not None:
            names.append("fit")
        self._coming = [self._worker.submit(self._ready, name) for name in names]

    def setting(self, name: str) -> GraphSetting:
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

    def for_lanes(self, lanes: int) -> Graphs:
        """The same graphs for ``lanes`` threads that evaluate the denoiser at once.

        Its evaluations then run side by side, each on its share of the processor: one alone gains little
        from a second core. What is computed does not change.
        """
        shared = copy(self)
        shared._lanes = max(1, min(lanes, self._shipped.threads))
        return shared

    @property
    def lanes(self) -> int:
        """How many evaluations of the denoiser run side by side."""
        return self._lanes

    def _ready(self, name: str) -> tuple[str, int]:
        """Compiles a graph, unless that is done, and returns its place. One that most jobs do without is
        compiled when it is first wanted."""
        place = (name, self._lanes if name == "denoiser" else 1)
        if place not in self._idle:  # without waiting for the graph that is just being compiled
            with self._lock:
                if place not in self._idle:
                    setting = self.setting(name).model_copy(update={"streams": place[1]})
                    self._compiled[place] = self._compiler.compiled(name, setting)
                    self._idle[place] = [self._compiled[place].create_infer_request()]
        return place

    @contextmanager
    def _request(self, name: str, frames: int) -> Iterator[Any]:
        """A request that no other thread uses, for inputs of at most so many ``frames``."""
        place = self._ready(name)
        with self._turns.get(name, nullcontext()):
            try:
                request = self._idle[place].pop()
            except IndexError:
                request = self._compiled[place].create_infer_request()
            yield request
            self._idle[place].append(request)
            if name in WHOLE_SONG and frames > KEPT_FRAMES:
                self._compiled[place].release_memory()  # refused while another request is evaluated
                return_free_memory()

    def plan(self, features: Array, phases: Array) -> tuple[Array, Array, Array]:
        """Features (64, T) and phases (5, T) -> plan (24, P), key (24,) and beats (2, T), all 0-1."""
        inputs = {"features": features[None], "phases": phases[None]}
        plan, key, beats = self._found("planner", inputs, "plan", "key", "beats")
        return plan[0], key.reshape(-1), beats[0]

    def condition(self, rows: Array, style: Array) -> tuple[Array, Array]:
        """Rows (B, CONDITION_ROWS, 2 W) and style (B, S, 1) -> tokens (B, C, W) and keys_values."""
        tokens, keys_values = self._found(
            "condition", {"rows": rows, "style": style}, "tokens", "keys_values"
        )
        return tokens, keys_values

    def velocity(self, inputs: dict[str, Array]) -> Array:
        """One evaluation of the denoiser; (B, Z, W)."""
        return self._found("denoiser", inputs, "velocity")[0]

    def decode(self, latent: Array) -> Array:
        """Normalised latent (Z, N) -> roll probabilities (R, 2 N)."""
        return self._one("vae_decoder", {"latent": latent[None]}, "roll")

    def gains(self, rows: Array, style: Array, group: Array) -> Array:
        """The audio decoder: rows (R, F), style (S, 1), group (G, 1) -> log gains (GAIN_ROWS, F)."""
        inputs = {"rows": rows[None], "style": style[None], "group": group[None]}
        return self._one("audio_decoder", inputs, "gains")

    def hear(self, spectrum: Array, style: Array) -> Array:
        """The audio encoder: spectrum (SPECTRUM_ROWS, T), style (S, 1) -> roll probabilities (R, T)."""
        inputs = {"spectrum": spectrum[None], "style": style[None]}
        return self._one("audio_encoder", inputs, "roll")

    def encode(self, roll: Array) -> Array:
        """Roll (R, 2 N) -> normalised latent (Z, N)."""
        return self._one("vae_encoder", {"roll": roll[None]}, "latent")

    def fit(self, features: Array, phases: Array, band: Array) -> float:
        """Features (64, T), phases (5, T), band rows (BAND_ROWS, T) -> log odds that they belong together."""
        inputs = {"features": features[None], "phases": phases[None], "band": band[None]}
        return float(self._found("fit", inputs, "log_odds")[0].reshape(()))

    def _one(self, name: str, inputs: dict[str, Array], output: str) -> Array:
        """An output without its batch axis."""
        alone: Array = self._found(name, inputs, output)[0][0]
        return alone

    def _found(self, name: str, inputs: dict[str, Array], *outputs: str) -> list[Array]:
        """Outputs of one evaluation, copied: the request's own are written over by its next."""
        frames = max(values.shape[-1] for values in inputs.values())
        with self._request(name, frames) as request:
            found = request.infer(inputs)
            return [found[output].copy() for output in outputs]
