"""Command that collects the originals, with which takes are compared, and measures the copy gate."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
from rich.progress import track

from appliance.files.whole import write_whole
from appliance.packs.originals import ORIGINALS_NAME
from train.data import song_cache


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
    from train.data.originals import WrittenSong, originals_file, originals_of, written_song

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
    click.echo(f"{spent_s / len(held_out):.3f} CPU s a song")
    if plant:
        from train.data.planted_copies import planted

        copies = list(planted([s.notes for s in training], [s.notes for s in held_out], plant, seed=1))
        near = nearness(shared_bits(collected, (c.onsets() for _, c in track(copies, "plant"))), limits)
        caught = Counter(kind for (kind, _), share in zip(copies, near, strict=True) if share > 1.0)
        for kind in dict.fromkeys(kind for kind, _ in copies):
            click.echo(f"caught, {kind}: {caught[kind]} of {plant}")


def _songs(folder: Path, splits: tuple[str, ...]) -> Iterator[tuple[Path, str, str]]:
    for name, split in sorted(song_cache.splits(folder).items()):
        if split in splits:
            yield folder, name, split
