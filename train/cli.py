"""The commands of the build side, one a stage, in the order in which they are run."""

from __future__ import annotations

import math
from pathlib import Path

import click
import torch
from rich.progress import track

from train.corpus.ledger import LedgerError, read_ledger
from train.data import song_cache
from train.training.loop import LoopConfig, fit


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), help="Caches and runs.")
@click.option("--threads", type=int, default=0, help="CPU threads; 0: all.")
@click.pass_context
def main(context: click.Context, runs: Path, threads: int) -> None:
    """Scores in, checkpoint out. Every command can be stopped and run again: it goes on."""
    context.obj = runs
    if threads:
        torch.set_num_threads(threads)


@main.command()
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--workers", default=2)
@click.pass_obj
def songs(runs: Path, corpus: Path, workers: int) -> None:
    """Read CORPUS (scores with ledger.csv), arrange every song in every style, store arrays."""
    try:
        rows = read_ledger(corpus)
        progress = iter(track(range(len(rows)), description="songs"))
        song_cache.build(corpus, rows, runs / "cache" / "songs", workers, lambda _: next(progress, None))
    except LedgerError as error:
        raise click.ClickException(str(error)) from error


def training_options(steps: int, learning_rate: float):  # type: ignore[no-untyped-def]
    """The options that every training stage has."""

    def add(command):  # type: ignore[no-untyped-def]
        for option in (
            click.option("--steps", default=steps, help="Where the learning rate has decayed."),
            click.option("--learning-rate", default=learning_rate),
            click.option("--minutes", default=math.inf, help="Stop earlier; run again to go on."),
            click.option("--device", default="cuda" if torch.cuda.is_available() else "cpu"),
            click.option("--batch", default=16),
        ):
            command = option(command)
        return command

    return add


@main.command()
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


@main.command()
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--workers", default=2)
@click.option("--heard", default=500, help="Songs that are also sung with sound (needs espeak-ng).")
@click.pass_obj
def melodies(runs: Path, corpus: Path, workers: int, heard: int) -> None:
    """Perform every song as vocal features."""
    from train.data import melodies as cache

    rows = [row for row in read_ledger(corpus) if (runs / "cache" / "songs" / f"{row.id}.npz").exists()]
    progress = iter(track(range(len(rows)), description="melodies"))
    cache.build(corpus, rows, runs / "cache" / "melodies", workers, lambda _: next(progress, None), heard)


@main.command()
@training_options(steps=700, learning_rate=2e-3)
@click.pass_obj
def planner(runs: Path, steps: int, learning_rate: float, minutes: float, device: str, batch: int) -> None:
    """Train the planner."""
    from train.networks.planner import PlannerConfig
    from train.training.planner import PlannerStage

    cache = runs / "cache"
    train, val = (song_cache.load_split(cache / "songs", split) for split in ("train", "val"))
    stage = PlannerStage(PlannerConfig(), train, val, cache / "melodies", batch)
    fit(stage, runs / "planner", LoopConfig(steps, learning_rate, minutes=minutes), torch.device(device))


@main.command()
@click.option("--others", default=3, help="Styles a song beside the written piano part.")
@click.option("--device", default="cuda" if torch.cuda.is_available() else "cpu")
@click.pass_obj
def latents(runs: Path, others: int, device: str) -> None:
    """Encode the training songs with the trained score VAE."""
    from train.data import latents as cache
    from train.networks.vae import ScoreVae, VaeConfig
    from train.training.state import load_ema

    vae = ScoreVae(VaeConfig())
    load_ema(runs / "vae" / "state.safetensors", vae)
    chosen = [
        song for split in ("train", "val") for song in song_cache.load_split(runs / "cache" / "songs", split)
    ]
    progress = iter(track(range(len(chosen)), description="latents"))
    folder = runs / "cache" / "latents"
    cache.build(vae, chosen, folder, others, torch.device(device), lambda _: next(progress, None))


@main.command()
@click.pass_obj
def plans(runs: Path) -> None:
    """Predict the plans of the training songs with the trained planner."""
    from train.data import plans as cache
    from train.networks.planner import Planner, PlannerConfig
    from train.training.state import load_ema

    planner = Planner(PlannerConfig())
    load_ema(runs / "planner" / "state.safetensors", planner)
    folder = runs / "cache"
    chosen = [song for split in ("train", "val") for song in song_cache.load_split(folder / "songs", split)]
    progress = iter(track(range(len(chosen)), description="plans"))
    cache.build(planner, chosen, folder / "melodies", folder / "plans", lambda _: next(progress, None))


@main.command()
@training_options(steps=2000, learning_rate=1e-3)
@click.pass_obj
def denoiser(runs: Path, steps: int, learning_rate: float, minutes: float, device: str, batch: int) -> None:
    """Train the denoiser on the cached latents."""
    from train.networks.denoiser import DenoiserConfig
    from train.training.denoiser import DenoiserStage
    from train.training.sources import window_sources

    train, val = window_sources(runs / "cache")
    stage = DenoiserStage(DenoiserConfig(), train, val, batch)
    loop = LoopConfig(
        steps, learning_rate, warmup_steps=150, ema_decay=0.998, minutes=minutes, validate_every=100
    )
    fit(stage, runs / "denoiser", loop, torch.device(device))


@main.command()
@training_options(steps=500, learning_rate=3e-4)
@click.option("--guidance", default=2.5, help="Of the denoiser that teaches.")
@click.pass_obj
def student(
    runs: Path, steps: int, learning_rate: float, minutes: float, device: str, batch: int, guidance: float
) -> None:
    """Distil the denoiser to few steps without guidance."""
    from train.checkpoint import Generator
    from train.networks.denoiser import DenoiserConfig
    from train.training.sources import window_sources
    from train.training.state import load_ema
    from train.training.student import StudentStage

    teacher = Generator(DenoiserConfig())
    load_ema(runs / "denoiser" / "state.safetensors", teacher)
    train, val = window_sources(runs / "cache")
    stage = StudentStage(teacher, train, val, batch, guidance=guidance)
    loop = LoopConfig(
        steps, learning_rate, warmup_steps=30, ema_decay=0.99, minutes=minutes, validate_every=100
    )
    fit(stage, runs / "student", loop, torch.device(device))


@main.command()
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--split", default="train")
@click.option("--songs", "count", default=20, help="How many songs of the split.")
@click.option("--seed", "seeds", multiple=True, default=(1,), help="A voice and performance; repeatable.")
@click.option("--workers", default=2)
@click.pass_obj
def sing(runs: Path, corpus: Path, split: str, count: int, seeds: tuple[int, ...], workers: int) -> None:
    """Sing songs of CORPUS to FLAC files (needs espeak-ng)."""
    from train.corpus.reader import read_song
    from train.evaluate.pack import chosen_rows
    from train.singer.render import render_songs

    songs = [read_song(corpus, row) for row in chosen_rows(corpus, split, count)]
    render_songs(songs, runs / "sung" / split, list(seeds), workers, lambda path: click.echo(str(path)))


@main.command()
@click.argument("pack", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--split", default="test")
@click.option("--songs", "count", default=24, help="How many songs of the split.")
@click.option("--style", default="piano")
@click.option("--seed", default=0)
@click.option("--out", type=click.Path(path_type=Path), help="Default: a folder under --runs.")
@click.option("--workers", default=2)
@click.pass_obj
def evaluate(
    runs: Path,
    pack: Path,
    corpus: Path,
    split: str,
    count: int,
    style: str,
    seed: int,
    out: Path | None,
    workers: int,
) -> None:
    """Judge PACK on songs of CORPUS it has not heard: gap closed, with anchors and intervals."""
    from train.evaluate.pack import chosen_rows, evaluate_pack, sung_pieces
    from train.evaluate.report import as_markdown

    folder = out or runs / "evaluation" / f"{split}-{style}"
    pieces = sung_pieces(corpus, chosen_rows(corpus, split, count), runs / "evaluation" / split, workers)
    click.echo(as_markdown(evaluate_pack(pack, pieces, folder, style=style, seed=seed)))


@main.command()
@click.argument("checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--split", default="test")
@click.pass_obj
def reconstruct(runs: Path, checkpoint: Path, split: str) -> None:
    """Measure the score VAE of CHECKPOINT: notes in against notes out, by style."""
    from train.checkpoint import load_checkpoint
    from train.evaluate.reconstruct import as_table, reconstruction

    songs = song_cache.load_split(runs / "cache" / "songs", split)
    click.echo(as_table(reconstruction(load_checkpoint(checkpoint).vae, songs)))


@main.command()
@click.argument("checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.pass_obj
def adopt(runs: Path, checkpoint: Path) -> None:
    """Make runs of a CHECKPOINT's networks, to train them further."""
    from train.adopt import adopt as take_over

    for name in take_over(checkpoint, runs):
        click.echo(f"{runs / name}")


@main.command()
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option("--steps", default=16, help="Sampler steps.")
@click.option("--guidance", default=3.0)
@click.option("--hardware", required=True, help="For the model card: what it was trained on.")
@click.pass_obj
def checkpoint(runs: Path, corpus: Path, out: Path, steps: int, guidance: float, hardware: str) -> None:
    """Gather the runs into a checkpoint folder that export reads."""
    from train.assemble import Sampling, assemble

    songs = song_cache.load_split(runs / "cache" / "songs", "train")
    used = {song.id for song in songs}
    rows = [row for row in read_ledger(corpus) if row.id in used]
    assemble(runs, rows, songs, out, Sampling(steps, guidance), hardware)


@main.command()
@click.argument("checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option("--samples", default=64, help="Inputs a graph.")
@click.pass_obj
def calibration(runs: Path, checkpoint: Path, out: Path, samples: int) -> None:
    """Write what the graphs of CHECKPOINT are fed on validation songs, for quantize."""
    from train.calibration import write_calibration
    from train.checkpoint import load_checkpoint
    from train.training.sources import window_sources

    _, val = window_sources(runs / "cache")
    write_calibration(load_checkpoint(checkpoint), val, out, samples)
