"""The command line of the build side: one command per stage, in the order in which they run."""

from __future__ import annotations

from pathlib import Path

import click
import torch

from train.commands import (
    ablation,
    audio,
    checkpoints,
    data,
    dials,
    judging,
    listening,
    networks,
    originals,
    pairs,
    report,
    rhythms,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option(
    "--runs", type=click.Path(path_type=Path), default=Path("runs"), help="Folder of caches and runs."
)
@click.option("--threads", type=int, default=0, help="Number of CPU threads; 0: all.")
@click.pass_context
def main(context: click.Context, runs: Path, threads: int) -> None:
    """Train a checkpoint from scores. Every command can be stopped; run it again to continue."""
    context.obj = runs
    if threads:
        torch.set_num_threads(threads)


for command in (
    data.songs,
    data.drums,
    dials.dials,
    rhythms.rhythms,
    originals.originals,
    data.melodies,
    networks.vae,
    data.latents,
    networks.planner,
    data.plans,
    networks.chords,
    networks.denoiser,
    networks.student,
    networks.fit_network,
    audio.renders,
    audio.audio_decoder,
    audio.audio_encoder,
    audio.reconstruct_audio,
    audio.read_references,
    checkpoints.adopt,
    checkpoints.checkpoint,
    checkpoints.calibration,
    judging.reconstruct,
    pairs.telling_apart,
    judging.notes,
    ablation.ablate,
    judging.control,
    report.evaluate,
    report.metrics,
    listening.listen,
    data.sing,
):
    main.add_command(command)
