"""Commands that build the training data: songs, melodies, latents, plans, sung files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
import torch
from rich.progress import track

from train.corpus.ledger import LedgerError, LedgerRow, read_ledger, sung_rows
from train.data import song_cache

CORPORA = click.argument(
    "corpora",
    metavar="CORPUS...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)


@click.command()
@CORPORA
@click.option("--workers", default=2)
@click.pass_obj
def songs(runs: Path, corpora: tuple[Path, ...], workers: int) -> None:
    """Read each CORPUS (scores with ledger.csv), arrange every song in every style, and store arrays.

    Songs that are stored already are kept, so the command can be stopped and run again.
    """
    folder = runs / "cache" / "songs"
    try:
        sources = sung_sources(corpora)
        progress = iter(track(range(len(sources)), description="songs"))
        left_out = song_cache.build(sources, folder, workers, lambda _: next(progress, None))
    except LedgerError as error:
        raise click.ClickException(str(error)) from error
    for song_id, reason in left_out.items():
        click.echo(f"left out: {song_id}: {reason}")
    for line in song_cache.summary(folder):
        click.echo(line)


@click.command()
@CORPORA
@click.pass_obj
def drums(runs: Path, corpora: tuple[Path, ...]) -> None:
    """Read the drumming of each CORPUS as bars of strokes, and store them."""
    from train.data import drum_patterns

    try:
        sources = [(folder, row) for folder in corpora for row in read_ledger(folder) if row.role == "drums"]
        progress = iter(track(range(len(sources)), description="drums"))
        path = runs / "cache" / "drums.npz"
        bars = drum_patterns.build(sources, path, lambda _: next(progress, None))
    except LedgerError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{path}: {bars} bars of {len(sources)} takes")


@click.command()
@CORPORA
@click.option("--workers", default=2)
@click.option("--heard", default=500, help="Songs that are also sung as audio (needs espeak-ng).")
@click.pass_obj
def melodies(runs: Path, corpora: tuple[Path, ...], workers: int, heard: int) -> None:
    """Sing every song and store its vocal features."""
    from train.data import melodies as cache

    known = {file.stem for file in (runs / "cache" / "songs").glob("*.npz")}
    sources = [(corpus, row) for corpus, row in sung_sources(corpora) if row.id in known]
    progress = iter(track(range(len(sources)), description="melodies"))
    cache.build(sources, runs / "cache" / "melodies", workers, lambda _: next(progress, None), heard)


def sung_sources(corpora: Iterable[Path]) -> list[tuple[Path, LedgerRow]]:
    """(corpus folder, ledger row) of every score with a sung part.

    Raises:
        LedgerError: a ledger is missing or incomplete, or two corpora have one id.
    """
    sources = [(folder, row) for folder in corpora for row in sung_rows(folder)]
    known: dict[str, Path] = {}
    for folder, row in sources:
        if known.setdefault(row.id, folder) != folder:
            raise LedgerError(f"{row.id}: in {known[row.id]} and in {folder}; name each corpus once")
    return sources


@click.command()
@click.option("--others", default=3, help="Styles per song besides the written piano part.")
@click.option("--device", default="cuda" if torch.cuda.is_available() else "cpu")
@click.pass_obj
def latents(runs: Path, others: int, device: str) -> None:
    """Encode the songs with the trained score VAE."""
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


@click.command()
@click.pass_obj
def plans(runs: Path) -> None:
    """Predict the plans of the songs with the trained planner."""
    from train.data import plans as cache
    from train.networks.planner import Planner, PlannerConfig
    from train.training.state import load_ema

    planner = Planner(PlannerConfig())
    load_ema(runs / "planner" / "state.safetensors", planner)
    folder = runs / "cache"
    chosen = [song for split in ("train", "val") for song in song_cache.load_split(folder / "songs", split)]
    progress = iter(track(range(len(chosen)), description="plans"))
    cache.build(planner, chosen, folder / "melodies", folder / "plans", lambda _: next(progress, None))


@click.command()
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--split", default="train")
@click.option("--songs", "count", default=20, help="Number of songs of the split.")
@click.option(
    "--seed", "seeds", multiple=True, default=(1,), help="Seed of voice and performance; repeatable."
)
@click.option("--workers", default=2)
@click.pass_obj
def sing(runs: Path, corpus: Path, split: str, count: int, seeds: tuple[int, ...], workers: int) -> None:
    """Sing songs of CORPUS to FLAC files (needs espeak-ng)."""
    from train.corpus.reader import read_song
    from train.evaluate.material.songs import chosen_rows
    from train.singer.render import render_songs

    songs = [read_song(corpus, row) for row in chosen_rows(corpus, split, count)]
    render_songs(songs, runs / "sung" / split, list(seeds), workers, lambda path: click.echo(str(path)))
