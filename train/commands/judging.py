"""Commands that judge networks and packs."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.errors import UsageError
from appliance.music.score import STYLES
from train.data import song_cache


@click.command()
@click.argument("checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--split", default="test")
@click.pass_obj
def reconstruct(runs: Path, checkpoint: Path, split: str) -> None:
    """Measure the score VAE of CHECKPOINT: compare notes before and after, by style."""
    from train.checkpoints.checkpoint import load_checkpoint
    from train.evaluate.measures.reconstruct import as_table, reconstruction

    songs = song_cache.load_split(runs / "cache" / "songs", split)
    click.echo(as_table(reconstruction(load_checkpoint(checkpoint).vae, songs)))


@click.command()
@click.argument("pack", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the report.")
@click.option("--split", default="val")
@click.option("--songs", "count", default=8, help="Number of songs of the split.")
@click.option("--section", "sections", multiple=True, help="Measure this section only; repeatable.")
@click.pass_obj
def control(
    runs: Path, pack: Path, corpus: Path, out: Path, split: str, count: int, sections: tuple[str, ...]
) -> None:
    """Measure whether PACK obeys tempo, beats, chords, key and style, and the form of whole songs."""
    from train.evaluate.control.report import SECTIONS, measure_control

    for name in sections:
        if name not in SECTIONS:
            raise UsageError(f"--section {name}: choose from {', '.join(SECTIONS)}.")
    click.echo(
        measure_control(pack, corpus, runs, out, split=split, songs=count, sections=sections or SECTIONS)
    )


@click.command()
@click.argument("model", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--split", default="val")
@click.option("--songs", "count", default=12, help="Number of songs of the split.")
@click.option("--style", type=click.Choice(STYLES), default="piano")
@click.option("--seeds", default=1, help="Takes per song; their scores are averaged.")
@click.option("--steps", type=int, help="Sampler steps; default: the model's own.")
@click.option("--guidance", type=float, help="Guidance scale; default: the model's own.")
@click.option("--network", type=click.Choice(("denoiser", "student")), help="For runs; default: the student.")
@click.pass_obj
def notes(
    runs: Path,
    model: Path,
    split: str,
    count: int,
    style: str,
    seeds: int,
    steps: int | None,
    guidance: float | None,
    network: str | None,
) -> None:
    """Judge the notes of MODEL (a pack, a checkpoint or a folder of runs) quickly, to choose settings."""
    from train.evaluate.material.excerpts import load_excerpts
    from train.evaluate.players.torch_graphs import open_model
    from train.evaluate.quick.note_judgement import as_table, judge_notes

    opened = open_model(model, steps=steps, guidance=guidance, network=network)
    excerpts = load_excerpts(runs / "cache", split, count, style)
    click.echo(as_table(judge_notes(opened, excerpts, style=style, seeds=range(seeds))))
