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
@training_options(steps=3000, learning_rate=1e-3)
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
