"""Command that chooses the phrases of the rhythm bank."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click
from rich.progress import track

from appliance.files.whole import write_whole
from appliance.music.score import STYLES
from appliance.packs.rhythm_bank import RHYTHMS_NAME, bank_text


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), help="The JSON file; default: rhythms.json in --runs."
)
@click.pass_obj
def rhythms(runs: Path, out: Path | None) -> None:
    """Choose phrases of the training songs from which takes borrow their rhythm.

    `checkpoint` includes the file, and `quantize` puts it into the pack.
    """
    from train.data import rhythm_phrases, song_cache

    try:
        songs = song_cache.load_split(runs / "cache" / "songs", "train")
    except FileNotFoundError as error:
        raise click.ClickException(
            f"{error.filename}: missing; run `python -m train songs` first."
        ) from error
    chosen = rhythm_phrases.phrases(track(songs, description="rhythms"), STYLES)
    out = out or runs / RHYTHMS_NAME
    write_whole(out, bank_text(chosen).encode())
    counts = Counter((phrase.style, phrase.meter, phrase.compound) for phrase in chosen)
    for (style, meter, compound), count in sorted(counts.items()):
        click.echo(f"{style}: {count} phrases of {meter} beats{' in three parts' if compound else ''}")
    click.echo(f"{out}: {len(chosen)} phrases of {len(songs)} songs")
