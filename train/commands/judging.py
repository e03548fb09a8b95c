"""How good the networks are."""

from __future__ import annotations

from pathlib import Path

import click

from train.data import song_cache


@click.command()
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


@click.command()
@click.argument("checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--split", default="test")
@click.pass_obj
def reconstruct(runs: Path, checkpoint: Path, split: str) -> None:
    """Measure the score VAE of CHECKPOINT: notes in against notes out, by style."""
    from train.checkpoint import load_checkpoint
    from train.evaluate.reconstruct import as_table, reconstruction

    songs = song_cache.load_split(runs / "cache" / "songs", split)
    click.echo(as_table(reconstruction(load_checkpoint(checkpoint).vae, songs)))
