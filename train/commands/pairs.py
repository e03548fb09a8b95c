"""The command that judges the fit network."""

from __future__ import annotations

from pathlib import Path

import click

from train.data import song_cache


@click.command("telling-apart")
@click.option("--songs", "count", default=48, help="Number of validation songs.")
@click.pass_obj
def telling_apart(runs: Path, count: int) -> None:
    """Measure how well the fit network distinguishes true accompaniments from wrong ones."""
    from train.checkpoints.fit_anchors import judge_of
    from train.data.pairs import PairSource
    from train.evaluate.measures.telling_apart import telling_apart as measure
    from train.networks.fit import FitConfig, FitNet
    from train.training.state import load_ema

    cache = runs / "cache"
    source = PairSource.of(song_cache.load_split(cache / "songs", "val"), cache / "melodies")
    network = FitNet(FitConfig())
    load_ema(runs / "fit" / "state.safetensors", network)
    click.echo(measure(judge_of(network.eval()), source, count).as_table())
