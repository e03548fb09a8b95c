"""Command that measures what a dial means in each style."""

from __future__ import annotations

from pathlib import Path

import click
from rich.progress import track

from appliance.files.whole import write_whole
from appliance.packs.dial_table import DIALS_NAME


@click.command()
@click.option("--workers", default=2)
@click.option("--out", type=click.Path(path_type=Path), help="The JSON file; default: dials.json in --runs.")
@click.pass_obj
def dials(runs: Path, workers: int, out: Path | None) -> None:
    """Measure the attributes that dials turn on all training songs, in every style.

    `checkpoint` includes the file, and `quantize` puts it into the pack.
    """
    import json

    from train.data.dial_statistics import BARS_FOLDER, statistics

    folder = runs / "cache" / "songs"
    if not (folder / "index.json").is_file():
        raise click.ClickException(f"{folder}: no songs there; run `python -m train songs CORPUS` first.")
    splits = json.loads((folder / "index.json").read_text())["songs"].values()
    count = sum(split in ("train", "val") for split in splits)
    if not any(split == "train" for split in splits):
        raise click.ClickException(f"{folder}: none of the songs is for training; name another --runs.")
    progress = iter(track(range(count), description="dials"))
    try:
        table = statistics(folder, folder.parent / BARS_FOLDER, workers, lambda _: next(progress, None))
    except ValueError as error:
        raise click.ClickException(f"{folder}: {error}, with `python -m train songs CORPUS`.") from error
    out = out or runs / DIALS_NAME
    write_whole(out, table.to_json().encode())
    for style, spreads in table.styles.items():
        said = ", ".join(f"{dial} {s.mean:.2f} ± {s.sd:.2f}" for dial, s in spreads.items())
        click.echo(f"{style}: {said}")
    click.echo(f"{out}: {table.songs} songs")
