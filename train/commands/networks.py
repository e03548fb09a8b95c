"""Commands that train the networks, in their order."""

from __future__ import annotations

import math
from pathlib import Path

import click
import torch

from appliance.networks.chord_rows import CHORD_QUALITIES
from train.data import song_cache
from train.training.loop import LoopConfig, fit


def training_options(steps: int, learning_rate: float):  # type: ignore[no-untyped-def]
    """A decorator that adds the options of all training stages."""

    def add(command):  # type: ignore[no-untyped-def]
        for option in (
            click.option("--steps", default=steps, help="Steps until the learning rate has decayed."),
            click.option("--learning-rate", default=learning_rate),
            click.option("--minutes", default=math.inf, help="Stop after this time; run again to continue."),
            click.option("--device", default="cuda" if torch.cuda.is_available() else "cpu"),
            click.option("--batch", default=16),
        ):
            command = option(command)
        return command

    return add


@click.command()
@training_options(steps=2400, learning_rate=2e-3)
@click.pass_obj
def vae(runs: Path, steps: int, learning_rate: float, minutes: float, device: str, batch: int) -> None:
    """Train the score VAE."""
    from train.networks.vae import VaeConfig
    from train.training.score_vae import ScoreVaeStage

    cache = runs / "cache" / "songs"
    stage = ScoreVaeStage(
        VaeConfig(), song_cache.load_split(cache, "train"), song_cache.load_split(cache, "val"), batch
    )
    loop = LoopConfig(steps, learning_rate, minutes=minutes)
    fit(stage, runs / "vae", loop, torch.device(device))


@click.command()
@training_options(steps=2600, learning_rate=2e-3)
@click.pass_obj
def planner(runs: Path, steps: int, learning_rate: float, minutes: float, device: str, batch: int) -> None:
    """Train the planner."""
    from train.networks.planner import PlannerConfig
    from train.training.planner import PlannerStage

    cache = runs / "cache"
    train, val = (song_cache.load_split(cache / "songs", split) for split in ("train", "val"))
    stage = PlannerStage(PlannerConfig(), train, val, cache / "melodies", batch)
    fit(stage, runs / "planner", LoopConfig(steps, learning_rate, minutes=minutes), torch.device(device))


@click.command()
@training_options(steps=2000, learning_rate=1.5e-3)
@click.pass_obj
def chords(runs: Path, steps: int, learning_rate: float, minutes: float, device: str, batch: int) -> None:
    """Train the chord network on the planner's view of the songs, and balance its likeliest chords."""
    from train.checkpoints.chord_bias import write_bias
    from train.networks.chords import ChordConfig, ChordNetwork
    from train.training.chords import ChordStage
    from train.training.state import load_ema

    cache = runs / "cache"
    train, val = (song_cache.load_split(cache / "songs", split) for split in ("train", "val"))
    stage = ChordStage(ChordConfig(), train, val, cache, batch)
    loop = LoopConfig(steps, learning_rate, ema_decay=0.995, minutes=minutes, validate_every=100)
    fit(stage, runs / "chords", loop, torch.device(device))
    network = ChordNetwork(ChordConfig())
    load_ema(runs / "chords" / "state.safetensors", network)
    bias = write_bias(network.eval(), val, cache, runs / "chords")
    qualities = zip(CHORD_QUALITIES, bias.qualities, strict=True)
    told = ", ".join(f"{quality or 'major'} {added:+.2f}" for quality, added in qualities)
    click.echo(f"bias: change {bias.change:+.2f}, {told}")


WINDOW_FRAMES = click.option(
    "--frames", default=256, help="Latent frames of a training window; shorter ones cost less."
)


@click.command()
@training_options(steps=2000, learning_rate=1e-3)
@WINDOW_FRAMES
@click.pass_obj
def denoiser(
    runs: Path, steps: int, learning_rate: float, minutes: float, device: str, batch: int, frames: int
) -> None:
    """Train the denoiser on the cached latents."""
    from train.networks.denoiser import DenoiserConfig
    from train.training.denoiser import DenoiserStage
    from train.training.sources import window_sources

    train, val = window_sources(runs / "cache")
    stage = DenoiserStage(DenoiserConfig(), train, val, batch, frames)
    loop = LoopConfig(
        steps, learning_rate, warmup_steps=150, ema_decay=0.998, minutes=minutes, validate_every=100
    )
    fit(stage, runs / "denoiser", loop, torch.device(device))


@click.command()
@training_options(steps=500, learning_rate=3e-4)
@WINDOW_FRAMES
@click.option("--guidance", default=2.5, help="Guidance scale of the teacher.")
@click.option(
    "--start",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Begin with the student of this checkpoint and what the denoiser learnt since.",
)
@click.pass_obj
def student(
    runs: Path,
    steps: int,
    learning_rate: float,
    minutes: float,
    device: str,
    batch: int,
    frames: int,
    guidance: float,
    start: Path | None,
) -> None:
    """Distil the denoiser to few steps without guidance."""
    from train.checkpoints.student_start import student_start
    from train.networks.denoiser import DenoiserConfig
    from train.networks.generator import Generator
    from train.training.sources import window_sources
    from train.training.state import load_ema
    from train.training.student import StudentStage

    teacher = Generator(DenoiserConfig())
    load_ema(runs / "denoiser" / "state.safetensors", teacher)
    train, val = window_sources(runs / "cache")
    if start and (runs / "student" / "state.safetensors").is_file():
        click.echo(f"student: continues the run in {runs / 'student'}; --start is for a new one")
    begun = student_start(start, teacher.state_dict()) if start else None
    stage = StudentStage(teacher, train, val, batch, frames, guidance, begun)
    loop = LoopConfig(
        steps, learning_rate, warmup_steps=30, ema_decay=0.99, minutes=minutes, validate_every=100
    )
    fit(stage, runs / "student", loop, torch.device(device))


@click.command("fit")
@training_options(steps=600, learning_rate=2e-3)
@click.pass_obj
def fit_network(
    runs: Path, steps: int, learning_rate: float, minutes: float, device: str, batch: int
) -> None:
    """Train the fit network, which scores how well an accompaniment suits a vocal."""
    from train.checkpoints.fit_anchors import write_anchors
    from train.data.pairs import PairSource
    from train.networks.fit import FitConfig, FitNet
    from train.training.fit import FitStage
    from train.training.state import load_ema

    cache = runs / "cache"
    train, val = (
        PairSource.of(song_cache.load_split(cache / "songs", split), cache / "melodies")
        for split in ("train", "val")
    )
    stage = FitStage(FitConfig(), train, val, batch)
    loop = LoopConfig(
        steps, learning_rate, warmup_steps=30, ema_decay=0.99, minutes=minutes, validate_every=60
    )
    fit(stage, runs / "fit", loop, torch.device(device))
    network = FitNet(FitConfig())
    load_ema(runs / "fit" / "state.safetensors", network)
    facts = write_anchors(network, val, runs / "fit")
    medians = f"true {facts.true[50]:.2f}, shuffled {facts.shuffled[50]:.2f}"
    click.echo(f"validation pairs: {medians}; floor {facts.floor:.2f}")
