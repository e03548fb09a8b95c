"""The command ``backline redo``: a new version of one take, in which only what is named changes."""

from __future__ import annotations

import json
from contextlib import closing
from importlib.metadata import version as installed_version
from pathlib import Path

import click

from appliance.cli.options import PACK_OPTION
from appliance.cli.results import print_table, progress_bar


@click.command()
@click.argument("receipt", type=click.Path(path_type=Path))
@click.option("--bars", help="Bars to redo, such as 9-16 or 9; by default the whole song.")
@click.option("--part", "parts", multiple=True, help="Part to redo, such as bass; may be repeated.")
@click.option("--chords", multiple=True, help="Chords for some bars, such as '9: | Dm7 | G7 |'; repeatable.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    help="Seed of what is redone.  [default: the next one; the same if only chords change]",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for the results.  [default: the receipt's]"
)
@click.option(
    "--vocal", type=click.Path(path_type=Path), help="The recording, if it is not where the receipt says."
)
@PACK_OPTION
@click.option("--json", "as_json", is_flag=True, help="Print the new receipt as JSON.")
def redo(
    receipt: Path,
    bars: str | None,
    parts: tuple[str, ...],
    chords: tuple[str, ...],
    seed: int | None,
    out: Path | None,
    vocal: Path | None,
    pack: Path,
    as_json: bool,
) -> None:
    """Make a new version of the take of RECEIPT: only the named bars, parts or chords change."""
    from appliance.networks.cache import cache_folder
    from appliance.rendering.engine import Engine
    from appliance.rendering.redo.redo import redo as redo_take
    from appliance.rendering.redo.request import GivenChords, RedoRequest, parse_bars
    from appliance.tuning.store import profiles_folder

    request = RedoRequest(
        None if bars is None else parse_bars(bars),
        parts,
        tuple(map(GivenChords.parse, chords)),
        seed,
        out,
        vocal,
    )
    with closing(Engine(pack, cache=cache_folder(), wait=False, profiles=profiles_folder())) as engine:
        if engine.profile_trouble:
            click.echo(f"backline: {engine.profile_trouble}", err=True)
        with progress_bar() as progress:
            task = progress.add_task(receipt.name, total=1.0)
            made = redo_take(
                engine,
                receipt,
                request,
                installed_version("backline"),
                lambda share: progress.update(task, completed=share),
            )
    for remark in made.remarks:
        click.echo(f"backline: {receipt}: {remark}", err=True)
    if as_json:
        click.echo(json.dumps(made.facts, ensure_ascii=False))
    else:
        print_table([made])
