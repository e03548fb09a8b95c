"""Commands for checkpoints: make one of runs, make runs of one, record calibration inputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from train.commands.data import CORPORA, sung_sources
from train.data import song_cache


@click.command()
@click.argument("checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.pass_obj
def adopt(runs: Path, checkpoint: Path) -> None:
    """Make runs of CHECKPOINT's networks, to continue their training."""
    from train.checkpoints.adopt import adopt as take_over

    for name in take_over(checkpoint, runs):
        click.echo(f"{runs / name}")


@click.command()
@CORPORA
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option("--steps", type=int, help="Sampler steps; default: 2 with a student, else 16.")
@click.option("--guidance", type=float, help="Guidance scale; default: none with a student, else 2.5.")
@click.option("--hardware", required=True, help="Hardware used for training, for the model card.")
@click.pass_obj
def checkpoint(
    runs: Path, corpora: tuple[Path, ...], out: Path, steps: int | None, guidance: float | None, hardware: str
) -> None:
    """Make a checkpoint of the runs, for export; each CORPUS is one that the songs were read from."""
    from train.checkpoints.assemble import Sampling, assemble

    few_steps = (runs / "student" / "state.safetensors").exists()
    usual = Sampling(2, 1.0, few_steps=True) if few_steps else Sampling()
    sampling = replace(
        usual,
        steps=usual.steps if steps is None else steps,
        guidance=usual.guidance if guidance is None else guidance,
    )
    songs = song_cache.load_split(runs / "cache" / "songs", "train")
    used = {song.id for song in songs}
    rows = [row for _, row in sung_sources(corpora) if row.id in used]
    assemble(runs, rows, songs, out, sampling, hardware)


@click.command()
@click.argument("checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option("--samples", default=64, help="Samples per graph.")
@click.pass_obj
def calibration(runs: Path, checkpoint: Path, out: Path, samples: int) -> None:
    """Record inputs of CHECKPOINT's graphs on validation songs, for quantize."""
    from train.calibration.audio_calibration import write_audio_calibration
    from train.calibration.calibration import write_calibration
    from train.calibration.chord_calibration import write_chord_calibration
    from train.calibration.fit_calibration import write_fit_calibration
    from train.checkpoints.checkpoint import load_checkpoint
    from train.data.pairs import PairSource
    from train.data.renders import load_all
    from train.training.sources import window_sources

    _, val = window_sources(runs / "cache")
    networks = load_checkpoint(checkpoint)
    write_calibration(networks, val, out, samples)
    if "fit" in networks.extras:
        songs = song_cache.load_split(runs / "cache" / "songs", "val")
        write_fit_calibration(PairSource.of(songs, runs / "cache" / "melodies"), out, samples)
    if "chords" in networks.extras:
        songs = song_cache.load_split(runs / "cache" / "songs", "val")
        write_chord_calibration(songs, runs / "cache", out, samples)
    if any(name.startswith("audio_") for name in networks.extras):
        crops = load_all(runs / "cache" / "renders" / "val", stems=False)
        write_audio_calibration(networks.extras, crops, out)
