"""Command that collects the originals, with which takes are compared, and measures the copy gate."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import track

from appliance.files.whole import write_whole
from appliance.packs.originals import ORIGINALS_NAME
from train.data import song_cache

if TYPE_CHECKING:
    from appliance.packs.originals import Limits, Originals
    from train.data.originals import WrittenSong


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), help=f"The file; default: {ORIGINALS_NAME} in --runs."
)
@click.option("--plant", default=0, help="Plant so many copies of each kind, and print how many are found.")
@click.pass_obj
def originals(runs: Path, out: Path | None, plant: int) -> None:
    """Collect what the training songs play, and measure how near unrelated songs are to them.

    `checkpoint` includes the file, and `quantize` puts it into the pack.
    """
    from train.data.copy_limits import NO_LIMITS, limits_of, nearness, shared_bits
    from train.data.originals import originals_file, originals_of, written_song

    def written(*splits: str) -> list[WrittenSong]:
        songs = track(list(_songs(runs / "cache" / "songs", splits)), description="/".join(splits))
        found = (written_song(song_cache.load_song(folder, name, split)) for folder, name, split in songs)
        return [song for song in found if song is not None and len(song.onsets)]

    try:
        training, held_out = written("train"), written("val", "test")
    except FileNotFoundError as error:
        raise click.ClickException(
            f"{error.filename}: missing; run `python -m train songs` first."
        ) from error
    if not training or not held_out:
        raise click.ClickException("no training or no held-out songs in the cache; read the whole corpus.")
    collected = originals_of(training, NO_LIMITS)
    started_s = time.process_time()
    bits = shared_bits(collected, [song.onsets for song in track(held_out, description="compare")])
    spent_s = time.process_time() - started_s
    limits = limits_of(bits)
    content = originals_file(replace(collected, limits=limits))
    out = out or runs / ORIGINALS_NAME
    write_whole(out, content)
    alarms = int((nearness(bits, limits) > 1.0).sum())
    click.echo(f"{out}: {len(training)} songs, {len(collected.onsets)} onsets, {len(content) / 1e6:.1f} MB")
    click.echo(f"limits in bits: harmony {limits.harmony}, exact {limits.exact}")
    click.echo(f"false alarms: {alarms} of {len(held_out)} held-out songs")
    tuned, rest = bits[::2], bits[1::2]
    elsewhere = int((nearness(rest, limits_of(tuned)) > 1.0).sum())
    click.echo(f"with limits of every other one: {elsewhere} of the {len(rest)} others")
    click.echo(f"{spent_s / len(held_out):.3f} CPU s a song")
    if plant:
        _plant(collected, limits, training, held_out, plant)


def _plant(
    collected: Originals,
    limits: Limits,
    training: list[WrittenSong],
    held_out: list[WrittenSong],
    count: int,
) -> None:
    """Print how many of ``count`` planted copies of each kind are caught."""
    from train.data.copy_limits import nearness, shared_bits
    from train.data.planted_copies import planted

    try:
        copies = list(planted([s.notes for s in training], [s.notes for s in held_out], count, seed=1))
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    near = nearness(shared_bits(collected, (c.onsets() for _, c in track(copies, "plant"))), limits)
    caught = Counter(kind for (kind, _), share in zip(copies, near, strict=True) if share > 1.0)
    for kind in dict.fromkeys(kind for kind, _ in copies):
        click.echo(f"caught, {kind}: {caught[kind]} of {count}")


def _songs(folder: Path, splits: tuple[str, ...]) -> Iterator[tuple[Path, str, str]]:
    for name, split in sorted(song_cache.splits(folder).items()):
        if split in splits:
            yield folder, name, split
