"""The command that makes something to listen to and to look at."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import click

MOST_BYTES = 4_000_000


@click.command()
@click.argument("pack", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--vocal",
    default=Path("demo/vocal.flac"),
    type=click.Path(dir_okay=False, path_type=Path),
    help="The vocal that is accompanied.",
)
@click.option("--style", default="piano", help="Style of the three takes.")
@click.option("--only", multiple=True, help="Render this style alone, besides the takes; repeatable.")
@click.option("--style-seconds", default=15.0, help="Length of the excerpt of each style.")
@click.option("--take-seconds", default=16.0, help="Length of the excerpt and picture of each take.")
@click.option(
    "--excerpts",
    default=Path("demo"),
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder whose styles/ and takes/ get the excerpts.",
)
@click.option("--page", default=Path("docs/listen.md"), type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--picture", default=Path("docs/reference/takes.png"), type=click.Path(dir_okay=False, path_type=Path)
)
def listen(
    pack: Path,
    vocal: Path,
    style: str,
    only: tuple[str, ...],
    style_seconds: float,
    take_seconds: float,
    excerpts: Path,
    page: Path,
    picture: Path,
) -> None:
    """Render a vocal with PACK in every style and in three takes; write excerpts, a picture and a page.

    All excerpts together take at most 4 MB. Other files in the folders of the excerpts stay.
    """
    from appliance.files.whole import write_whole
    from train.evaluate.listening.excerpts import Cut, write_excerpts
    from train.evaluate.listening.page import Heard, page_text
    from train.evaluate.listening.piano_rolls import compose_three, draw, first_bar_s
    from train.evaluate.listening.renders import render_style, render_takes
    from train.evaluate.players.renderers import engine_of

    engine = engine_of(pack)
    composed = compose_three(pack, vocal, style)
    start_s = first_bar_s(composed[0])
    picture.parent.mkdir(parents=True, exist_ok=True)
    draw(composed, picture, start_s, take_seconds)
    with TemporaryDirectory(prefix="backline-listen-") as work:
        styles = {}
        for name in only or engine.pack.manifest.styles:
            click.echo(f"style {name}", err=True)
            styles[name] = render_style(engine, vocal, Path(work), name)
        takes = render_takes(engine, vocal, Path(work), style)
        heard = [
            Heard(excerpts / "styles" / f"{name}.mp3", name, ", ".join(rendered.receipt.facts["groups"]))
            for name, rendered in styles.items()
        ]
        taken = [
            Heard(
                excerpts / "takes" / f"take-{number}.mp3",
                f"take {number}",
                f"seed {rendered.receipt.facts['seed']}, fit {rendered.receipt.fit}",
            )
            for number, rendered in enumerate(takes, start=1)
        ]
        cuts = {
            h.file: Cut(r.mix, start_s, style_seconds) for h, r in zip(heard, styles.values(), strict=True)
        }
        cuts |= {h.file: Cut(r.mix, start_s, take_seconds) for h, r in zip(taken, takes, strict=True)}
        write_excerpts(cuts, MOST_BYTES)
    manifest = engine.pack.manifest
    text = page_text(page, f"{manifest.name} {manifest.version}", vocal, heard, taken, style, picture)
    page.parent.mkdir(parents=True, exist_ok=True)
    write_whole(page, text.encode())
    size = sum(file.stat().st_size for file in cuts)
    click.echo(f"{page}: {len(cuts)} excerpts, {size / 1e6:.2f} MB, and {picture}")
