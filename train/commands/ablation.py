"""The command that runs the ablation study."""

from __future__ import annotations

from pathlib import Path

import click
from rich.progress import track

from train.ablation.variants import VARIANTS


@click.command()
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--only",
    "names",
    type=click.Choice([v.name for v in VARIANTS]),
    multiple=True,
    help="A variant; repeatable. Default: all.",
)
@click.option("--steps", default=400, help="Training steps of each variant.")
@click.option("--trainings", default=2, help="Trainings (seeds) of each variant on the corpus.")
@click.option("--workers", default=2)
@click.pass_obj
def ablate(
    runs: Path, corpus: Path, names: tuple[str, ...], steps: int, trainings: int, workers: int
) -> None:
    """Train small denoisers that differ in one thing each, and judge them on validation songs.

    Needs the caches and the trained score VAE and planner; the last two variants need espeak-ng. The
    denoisers have 1.8 M parameters and train for 400 steps; the result holds at that scale only.
    """
    from train.ablation.run import PAGE, laboratory, measure_reliance, run, sing_songs
    from train.ablation.scale import Scale
    from train.networks.denoiser import DenoiserConfig
    from train.networks.generator import Generator
    from train.training.state import load_ema

    folder = runs / "ablation"
    chosen = [v for v in VARIANTS if not names or v.name in names]
    lab = laboratory(runs, folder, Scale(steps=steps, trainings=trainings))
    if any(v.sung for v in chosen):
        songs = lab.sources.songs
        progress = iter(track(range(len(songs.judged) + len(songs.sung)), description="singing"))
        sing_songs(corpus, songs, folder, workers, lambda _: next(progress, None))
    run(lab, chosen, lambda o: click.echo(f"{o.variant} {o.training} {o.condition}: measured"))
    full_size, state = Generator(DenoiserConfig()), runs / "denoiser" / "state.safetensors"
    if state.is_file():
        load_ema(state, full_size)
    measure_reliance(lab, full_size if state.is_file() else None)
    click.echo((folder / PAGE).read_text())
