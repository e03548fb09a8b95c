"""A model to judge: a pack's graphs, or networks in torch with the same interface.

With the latter, the appliance's own composer can judge runs in training and networks that are never exported.
Letters as in :mod:`appliance.networks.graphs`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from appliance.errors import PackError
from appliance.networks.chord_rows import ChordScores
from appliance.networks.condition_rows import known_style_rows
from appliance.networks.graphs import Graphs
from appliance.packs.manifest import MANIFEST_NAME, RollThresholds, SamplerFacts
from appliance.packs.pack import load_pack
from train.checkpoints.checkpoint import CheckpointError, load_checkpoint
from train.checkpoints.chord_bias import biased
from train.networks.chords import ChordConfig, ChordNetwork
from train.networks.denoiser import DenoiserConfig
from train.networks.generator import Generator
from train.networks.planner import Planner, PlannerConfig
from train.networks.vae import RollDecoder, ScoreVae, VaeConfig
from train.training.sources import window_sources
from train.training.state import load_ema

Array = NDArray[np.float32]

UNDISTILLED = SamplerFacts(steps=16, guidance=2.5, window_frames=256, context_frames=64)
DISTILLED = UNDISTILLED.model_copy(update={"steps": 8, "guidance": 1.0, "few_steps": True})


@dataclass(frozen=True, slots=True)
class Drawing:
    """The part of a manifest that the composer reads."""

    sampler: SamplerFacts
    thresholds: RollThresholds = field(default_factory=RollThresholds)
    latent_channels: int = 64


@dataclass(frozen=True, slots=True)
class TorchPack:
    """Takes the place of a pack if the graphs are torch networks."""

    manifest: Drawing


@dataclass(frozen=True, slots=True)
class Model:
    """A model as the composer needs it: graphs and pack, or their torch equivalents."""

    label: str
    graphs: Any
    pack: Any


class TorchGraphs:
    """Planner, chord network, generator and decoder with the interface of
    :class:`appliance.networks.graphs.Graphs`.

    ``mean`` and ``std`` (Z,) are the statistics of the generator's training latents.
    """

    def __init__(
        self,
        planner: Planner,
        generator: Generator,
        decoder: RollDecoder,
        mean: Array,
        std: Array,
        sampler: SamplerFacts,
        chords: ChordNetwork | None = None,
    ) -> None:
        self._chords = None if chords is None else chords.eval()
        self._planner, self._generator, self._decoder = planner.eval(), generator.eval(), decoder.eval()
        self._mean, self._std = (torch.as_tensor(x).float().reshape(1, -1, 1) for x in (mean, std))
        self.window = sampler.window_frames
        self.batch = 1 if sampler.guidance == 1.0 else 2

    @torch.no_grad()
    def plan(self, features: Array, phases: Array) -> tuple[Array, Array, Array]:
        """Features (64, T) and phases (5, T) -> plan (24, P), key (24,) and beats (2, T), from 0 to 1."""
        plan, key, beats = self._planner(_batched(features), _batched(phases))
        return plan.sigmoid()[0].numpy(), key.softmax(dim=-1).reshape(-1).numpy(), beats.sigmoid()[0].numpy()

    @property
    def composes_chords(self) -> bool:
        """Whether there is a chord network."""
        return self._chords is not None

    @torch.no_grad()
    def chords(self, circle: Array, plain: Array) -> ChordScores:
        """The chord network: circle (CIRCLE_ROWS, 12, M) and plain (PLAIN_ROWS, M) of M slots -> scores.

        Raises:
            PackError: there is none.
        """
        if self._chords is None:
            raise PackError("This model has no chord network; train one.")
        chords, change, bass = (x[0].numpy() for x in self._chords(_batched(circle), _batched(plain)))
        return ChordScores(chords, change, bass, self._chords.transitions().numpy())

    @property
    def condition_rows(self) -> int:
        """Number of rows that the condition encoder takes."""
        return self._generator.config.rows

    @torch.no_grad()
    def condition(self, rows: Array, style: Array) -> tuple[Array, Array]:
        """Rows (B, CONDITION_ROWS, 2 W) and style (B, S, 1) -> tokens (B, C, W) and keys_values."""
        told = torch.from_numpy(known_style_rows(style, self._generator.config.style_rows))
        tokens, keys_values = self._generator.condition(
            torch.from_numpy(rows[:, : self.condition_rows]), told
        )
        return tokens.numpy(), keys_values.numpy()

    @torch.no_grad()
    def velocity(self, inputs: dict[str, Array]) -> Array:
        """One forward pass of the denoiser; returns (B, Z, W)."""
        told = known_style_rows(inputs["style"], self._generator.config.style_rows)
        inputs = {**inputs, "style": told}
        velocity: Tensor = self._generator.denoiser(**{k: torch.from_numpy(v) for k, v in inputs.items()})
        return velocity.numpy()

    @torch.no_grad()
    def decode(self, latent: Array) -> Array:
        """Normalised latent (Z, N) -> roll probabilities (R, 2 N)."""
        roll: Tensor = self._decoder(_batched(latent) * self._std + self._mean).sigmoid()
        return roll[0].numpy()


def _batched(rows: Array) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(rows, np.float32))[None]


def open_model(
    folder: Path, *, steps: int | None = None, guidance: float | None = None, network: str | None = None
) -> Model:
    """Open the pack, the checkpoint or the runs in ``folder``, with other sampler settings if given.

    ``network`` chooses among runs: ``denoiser`` or ``student``; None takes the student if there is one.

    Raises:
        PackError, CheckpointError: files are missing or damaged.
    """
    changes = {k: v for k, v in (("steps", steps), ("guidance", guidance)) if v is not None}
    if (folder / MANIFEST_NAME).is_file():
        pack = load_pack(folder)
        sampler = pack.manifest.sampler.model_copy(update=changes)
        pack = replace(pack, manifest=pack.manifest.model_copy(update={"sampler": sampler}))
        return Model(str(folder), Graphs(pack, torch.get_num_threads()), pack)
    if (folder / "checkpoint.json").is_file():
        stored = load_checkpoint(folder)
        sampler = SamplerFacts(**stored.facts["sampler"]).model_copy(update=changes)
        mean, std = (np.array(stored.facts[f"latent_{name}"], np.float32) for name in ("mean", "std"))
        networks = (stored.planner, stored.generator, stored.vae.decoder)
        chords = cast(ChordNetwork | None, stored.extras.get("chords"))
        graphs = TorchGraphs(*networks, mean, std, sampler, chords)
        return Model(str(folder), graphs, TorchPack(Drawing(sampler)))
    return _from_runs(folder, changes, network)


def _from_runs(runs: Path, changes: dict[str, Any], network: str | None) -> Model:
    if network is None:
        network = "student" if (runs / "student" / "state.safetensors").is_file() else "denoiser"
    few_steps = network == "student"
    generator = Generator(DenoiserConfig(few_steps=few_steps))
    vae, planner = ScoreVae(VaeConfig()), Planner(PlannerConfig())
    step = 0
    for name, module in (("vae", vae), ("planner", planner), (network, generator)):
        state = runs / name / "state.safetensors"
        if not state.is_file():
            raise CheckpointError(f"{state}: missing; give a pack, a checkpoint, or runs with {name}")
        step = load_ema(state, module)
    sampler = (DISTILLED if few_steps else UNDISTILLED).model_copy(update=changes)
    mean, std = latent_statistics(runs / "cache")
    chords = None
    if (state := runs / "chords" / "state.safetensors").is_file():
        chords = ChordNetwork(ChordConfig())
        load_ema(state, chords)
        chords.load_state_dict(biased(chords.state_dict(), runs / "chords"))
    graphs = TorchGraphs(planner, generator, vae.decoder, mean, std, sampler, chords)
    return Model(f"{runs} {network} step {step}", graphs, TorchPack(Drawing(sampler)))


def latent_statistics(cache: Path) -> tuple[Array, Array]:
    """Mean and standard deviation (Z,) of the training latents."""
    file = cache / "latent_statistics.npz"
    if not file.exists():
        window_sources(cache)  # writes the file
    with np.load(file, allow_pickle=False) as statistics:
        return statistics["mean"], statistics["std"]
