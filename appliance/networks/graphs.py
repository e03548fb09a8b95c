"""Calls the pack's graphs, compiled for this CPU, with NumPy arrays.

Shapes: B batch (1, or 2 with guidance), Z latent channels, N latent frames, W latent frames of a window,
T = 2 N score frames, P = T/4 plan frames, S styles + 1, G groups with drums, C channels of a token, R rows of
a roll, F frames of the audio decoder.
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

from appliance.networks.chord_rows import ChordScores, slot_rows
from appliance.networks.compiler import GraphCompiler
from appliance.networks.condition_rows import known_style_rows
from appliance.networks.setting import GraphSetting
from appliance.packs.pack import Pack
from appliance.system.malloc import return_free_memory

Array = NDArray[np.float32]


WHOLE_SONG = ("planner", "fit")
"""Graphs that take a whole song at once: their memory grows with its length."""

KEPT_FRAMES = 4_096
"""After a song of more score frames (190 s) such a graph releases its memory; otherwise it keeps it."""


class Graphs:
    """The networks of one pack.

    The graphs that every job needs compile in a thread, so that a recording can be read meanwhile; see
    :meth:`ready`. Condition encoder and denoiser are compiled for windows of one length, which is faster; the
    other graphs have a dynamic time axis.

    ``threads`` is the number of CPU threads (default: all cores of this process). ``cache`` is the folder for
    compiled graphs. ``settings`` maps names of graphs to their setting; other graphs run as shipped.

    Any number of threads may call the networks at once; :meth:`for_lanes` makes that efficient. Every call
    raises PackError if its graph cannot be compiled.
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
        self._composes_chords = pack.manifest.graphs.chords is not None
        self._lanes = 1
        self._lock = threading.Lock()
        self._turns = {name: threading.Lock() for name in WHOLE_SONG}  # one stream runs one call at a time
        self._compiled: dict[tuple[str, int], Any] = {}
        self._idle: dict[tuple[str, int], list[Any]] = {}
        self._worker = ThreadPoolExecutor(1, "compile")
        names = ["planner", "condition", "denoiser", "vae_decoder"]
        if pack.manifest.fit is not None:
            names.append("fit")
        self._coming = [self._worker.submit(self._ready, name) for name in names]

    def setting(self, name: str) -> GraphSetting:
        """The setting of graph ``name``."""
        return self._settings.get(name, self._shipped)

    def ready(self) -> None:
        """Wait until all graphs that every job needs are compiled.

        Raises:
            PackError: a graph cannot be read or compiled.
        """
        for one in self._coming:
            one.result()

    def close(self) -> None:
        """Cancel compilations that have not started."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def for_lanes(self, lanes: int) -> Graphs:
        """The same graphs for ``lanes`` threads that call the denoiser at once.

        Their forward passes run in parallel, each on its share of the cores, because a single pass gains
        little from a second core. The results do not change.
        """
        shared = copy(self)
        shared._lanes = max(1, min(lanes, self._shipped.threads))
        return shared

    @property
    def lanes(self) -> int:
        """Number of forward passes of the denoiser that run in parallel."""
        return self._lanes

    def _ready(self, name: str) -> tuple[str, int]:
        """Compile a graph if necessary and return its place, (name, lanes)."""
        place = (name, self._lanes if name == "denoiser" else 1)
        if place not in self._idle:  # checked without the lock, which another graph's compilation may hold
            with self._lock:
                if place not in self._idle:
                    setting = self.setting(name).model_copy(update={"streams": place[1]})
                    self._compiled[place] = self._compiler.compiled(name, setting)
                    self._idle[place] = [self._compiled[place].create_infer_request()]
        return place

    @contextmanager
    def _request(self, name: str, frames: int) -> Iterator[Any]:
        """An inference request for this thread alone; ``frames`` is the longest time axis of its inputs."""
        place = self._ready(name)
        with self._turns.get(name, nullcontext()):
            try:
                request = self._idle[place].pop()
            except IndexError:
                request = self._compiled[place].create_infer_request()
            yield request
            self._idle[place].append(request)
            if name in WHOLE_SONG and frames > KEPT_FRAMES:
                self._compiled[place].release_memory()  # fails while another request runs
                return_free_memory()

    @property
    def composes_chords(self) -> bool:
        """Whether the pack has a chord network."""
        return self._composes_chords

    @property
    def condition_rows(self) -> int:
        """Number of rows that the condition encoder of this pack takes."""
        return int(self._compiled[self._ready("condition")].input("rows").get_partial_shape()[1].get_length())

    def plan(self, features: Array, phases: Array) -> tuple[Array, Array, Array]:
        """The planner: features (64, T), phases (5, T) -> plan (24, P), key (24,), beats (2, T), all 0-1."""
        inputs = {"features": features[None], "phases": phases[None]}
        plan, key, beats = self._outputs("planner", inputs, "plan", "key", "beats")
        return plan[0], key.reshape(-1), beats[0]

    def condition(self, rows: Array, style: Array) -> tuple[Array, Array]:
        """The condition encoder: rows (B, CONDITION_ROWS, 2 W), style (B, S, 1) -> tokens (B, C, W) and the
        keys and values of the denoiser's attention. An older pack takes the first of the rows only."""
        rows = rows[:, : self.condition_rows]
        tokens, keys_values = self._outputs(
            "condition", {"rows": rows, "style": style}, "tokens", "keys_values"
        )
        return tokens, keys_values

    def velocity(self, inputs: dict[str, Array]) -> Array:
        """One forward pass of the denoiser: the velocity (B, Z, W)."""
        return self._outputs("denoiser", inputs, "velocity")[0]

    def decode(self, latent: Array) -> Array:
        """The score VAE's decoder: normalised latent (Z, N) -> roll probabilities (R, 2 N)."""
        return self._output("vae_decoder", {"latent": latent[None]}, "roll")

    def gains(self, rows: Array, style: Array, group: Array) -> Array:
        """The audio decoder: rows (DECODER_ROWS, F), style (S, 1), group (G, 1) -> log gains (GAIN_ROWS, F).

        DECODER_ROWS and GAIN_ROWS are those of :mod:`appliance.playing.source_filter`.
        """
        inputs = {"rows": rows[None], "style": style[None], "group": group[None]}
        return self._output("audio_decoder", inputs, "gains")

    def hear(self, spectrum: Array, style: Array) -> Array:
        """The audio encoder: spectrum (SPECTRUM_ROWS, T), style (S, 1) -> roll probabilities (R, T)."""
        inputs = {"spectrum": spectrum[None], "style": style[None]}
        return self._output("audio_encoder", inputs, "roll")

    def encode(self, roll: Array) -> Array:
        """The score VAE's encoder: roll (R, 2 N) -> normalised latent (Z, N)."""
        return self._output("vae_encoder", {"roll": roll[None]}, "latent")

    def fit(self, features: Array, phases: Array, band: Array) -> float:
        """The fit network: features (64, T), phases (5, T), band (BAND_ROWS, T) -> log odds of a match."""
        inputs = {"features": features[None], "phases": phases[None], "band": band[None]}
        return float(self._outputs("fit", inputs, "log_odds")[0].reshape(()))

    def chords(self, circle: Array, plain: Array) -> ChordScores:
        """The chord network: circle (CIRCLE_ROWS, 12, M) and plain (PLAIN_ROWS, M) of M slots -> scores."""
        slots = {"slots": slot_rows(circle, plain)[None]}
        chords, change, bass, table = self._outputs("chords", slots, "scores", "change", "bass", "table")
        return ChordScores(chords[0], change[0, 0], bass[0].reshape(12, 12, -1), table[0])

    def _output(self, name: str, inputs: dict[str, Array], output: str) -> Array:
        """One output, without its batch axis."""
        alone: Array = self._outputs(name, inputs, output)[0][0]
        return alone

    def _outputs(self, name: str, inputs: dict[str, Array], *outputs: str) -> list[Array]:
        """Outputs of one forward pass, copied, because the next pass of the request overwrites them."""
        frames = max(values.shape[-1] for values in inputs.values())
        with self._request(name, frames) as request:
            if "style" in inputs:
                rows = request.get_tensor("style").shape[1]
                inputs = {**inputs, "style": known_style_rows(inputs["style"], rows)}
            found = request.infer(inputs)
            return [found[output].copy() for output in outputs]
