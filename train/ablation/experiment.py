"""Trains a variant, measures its loss on windows that all variants share, and judges its notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from appliance.composing.reading import Reading
from appliance.grid import FRAMES_PER_PLAN
from appliance.music.keys import Key
from appliance.music.score import BeatGrid
from train.ablation.scale import Scale
from train.ablation.sources import Sources
from train.ablation.variants import Variant
from train.data.windows import WindowSource
from train.evaluate.material.excerpts import Excerpt
from train.evaluate.players.torch_graphs import Drawing, Model, TorchGraphs, TorchPack
from train.evaluate.quick.note_judgement import NoteJudgement, NoteRow, judge_notes, listen_alone
from train.networks.generator import Generator
from train.networks.planner import Planner
from train.training.denoiser import TIMESTEP_MEAN, TIMESTEP_SPREAD, DenoiserStage
from train.training.loop import LoopConfig, fit
from train.training.state import load_ema

HELD_OUT_SEED = 7


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one variant, training seed and recording condition.

    ``losses`` are those of the shared windows.
    """

    variant: str
    training: int
    condition: str
    parameters: int
    losses: tuple[float, ...]
    judgement: NoteJudgement

    def as_json(self) -> dict[str, Any]:
        """Plain values, which :meth:`from_json` reads."""
        return asdict(self)

    @staticmethod
    def from_json(stored: dict[str, Any]) -> Outcome:
        """The inverse of :meth:`as_json`."""
        judged = stored["judgement"]
        rows = tuple(NoteRow(**row) for row in judged["rows"])
        lists = {k: tuple(judged[k]) for k in ("coverage", "notes_s", "arranged_notes_s")}
        judgement = NoteJudgement(judged["label"], rows, **lists)
        return Outcome(**{**stored, "losses": tuple(stored["losses"]), "judgement": judgement})


class Laboratory:
    """What all variants share: data sources, planner, scale, and readings of songs."""

    def __init__(self, sources: Sources, planner: Planner, runs: Path, scale: Scale) -> None:
        self.sources, self.planner, self.runs, self.scale = sources, planner.eval(), runs, scale
        self._readings: dict[str, Reading] = {}

    def trained(self, variant: Variant, seed: int) -> Generator:
        """The variant's network with averaged weights; trains it if needed."""
        scale = self.scale
        run = self.runs / f"{variant.name}-{seed}"
        torch.manual_seed(seed)
        source = self.sources.training(variant)
        nothing = replace(source, songs=())
        network = replace(scale.network, alignment=variant.alignment)
        stage = DenoiserStage(network, source, nothing, scale.batch, scale.frames)
        loop = LoopConfig(
            scale.steps,
            scale.learning_rate,
            warmup_steps=scale.steps // 10,
            ema_decay=0.99,
            validate_every=scale.steps + 1,
            save_every_s=60.0,
            seed=1000 * seed,
        )
        fit(stage, run, loop, torch.device("cpu"))
        generator = Generator(network)
        load_ema(run / "state.safetensors", generator)
        return generator.eval()

    def measure(self, variant: Variant, seed: int) -> list[Outcome]:
        """Train the variant with ``seed`` and judge it under each of its recording conditions."""
        generator = self.trained(variant, seed)
        parameters = sum(p.numel() for p in generator.parameters())
        outcomes = []
        for condition in variant.conditions:
            losses = held_out_losses(generator, self.sources.held_out(variant, condition), self.scale)
            judgement = self._judged(variant, generator, condition, f"{variant.name} {seed} {condition}")
            outcomes.append(Outcome(variant.name, seed, condition, parameters, tuple(losses), judgement))
        return outcomes

    def _judged(self, variant: Variant, generator: Generator, condition: str, label: str) -> NoteJudgement:
        scale, sources = self.scale, self.sources
        sampler = scale.sampler
        graphs = TorchGraphs(self.planner, generator, sources.vae.decoder, sources.mean, sources.std, sampler)
        return judge_notes(
            Model(label, graphs, TorchPack(Drawing(sampler))),
            sources.excerpts(variant, condition, scale.style),
            style=scale.style,
            seeds=range(scale.takes),
            read=self._reader(variant),
        )

    def _reader(self, variant: Variant) -> Callable[[Model, Excerpt], Reading]:
        if variant.sung is not None:
            return vocal_alone
        return self._listened if variant.plan else lambda m, e: without_plan(self._listened(m, e))

    def _listened(self, model: Model, excerpt: Excerpt) -> Reading:
        """The appliance's own reading of a song, cached: the planner is the same for all variants."""
        if excerpt.id not in self._readings:
            self._readings[excerpt.id] = listen_alone(model, excerpt)
        return self._readings[excerpt.id]


def without_plan(reading: Reading) -> Reading:
    """The reading without its harmony plan."""
    return replace(reading, plan=np.zeros_like(reading.plan), certainty=0.0)


def vocal_alone(model: Model, excerpt: Excerpt) -> Reading:
    """A reading of the vocal's features only: no beats, no plan, and not transposed."""
    plan = np.zeros((24, excerpt.features.shape[1] // FRAMES_PER_PLAN), np.float32)
    return Reading(excerpt.features, excerpt.duration_s, BeatGrid(), Key(0, "major"), 0.0, plan, [], 0.0)


@torch.no_grad()
def held_out_losses(generator: Generator, source: WindowSource, scale: Scale) -> list[float]:
    """The training loss of each of ``scale.held_out`` windows; positions, timesteps and noise are fixed."""
    losses = []
    for number in range(scale.held_out):
        item = source.window(scale.frames, np.random.default_rng([HELD_OUT_SEED, number]))
        rng = np.random.default_rng([HELD_OUT_SEED, number, 1])
        t = float(1.0 / (1.0 + np.exp(-rng.normal(TIMESTEP_MEAN, TIMESTEP_SPREAD))))
        given = {name: torch.from_numpy(values)[None] for name, values in item.items()}
        noise = torch.from_numpy(rng.standard_normal(item["latent"].shape).astype(np.float32))[None]
        data = given["latent"]
        heard = generator.condition(given["rows"], given["style"])
        velocity = generator.denoiser(
            (1.0 - t) * data + t * noise,
            given["context"],
            given["known"],
            torch.full((1, 1, 1), t),
            *heard,
            given["style"],
            given["valid"],
        )
        error = (velocity - (noise - data)).square().mean(dim=1, keepdim=True)
        losses.append(float((error * given["valid"]).sum() / given["valid"].sum()))
    return losses
