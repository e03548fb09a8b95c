"""The command ``pack``: which packs are installed, and which one the service plays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.cli.release import DOWNGRADE_OPTION, layout_here, layout_to_change
from appliance.errors import BacklineError, PackError

if TYPE_CHECKING:
    from appliance.packs.pack import Pack
    from appliance.releases.layout import Layout


@click.group()
def pack() -> None:
    """Bring in packs and choose the one that the service plays, while it runs."""


@pack.command("list")
def list_packs() -> None:
    """List the packs that are installed."""
    from appliance.releases.packs.installed import before, in_use, listed

    layout = layout_here()
    words = {before(layout): "previous", in_use(layout): "active"}
    for found in listed(layout):
        what = found.trouble or f"{found.name} {found.version}, signed by key {found.key_id}"
        click.echo(f"{found.place:<24} {words.get(found.place, ''):<8} {what}")


@pack.command()
@click.argument("source", metavar="FILE|FOLDER", type=click.Path(path_type=Path))
@DOWNGRADE_OPTION
def install(source: Path, allow_downgrade: bool) -> None:
    """Bring in a pack: a .backline-pack file with its signature beside it, or a signed folder."""
    from appliance.releases.packs.installed import install as run

    layout = layout_to_change()
    place = run(layout, source, allow_downgrade=allow_downgrade)
    click.echo(f"{place} is installed; the service plays it after 'backline pack use {place}'.")


@pack.command()
@click.argument("name", metavar="NAME[-VERSION]")
def use(name: str) -> None:
    """Have the service play a pack from the next vocal on; of a NAME, its newest version."""
    from appliance.releases.packs.installed import use as run

    layout = layout_to_change()
    _tell(run(layout, name), layout)


@pack.command()
def rollback() -> None:
    """Have the service play the pack from before."""
    from appliance.releases.packs.installed import rollback as run

    layout = layout_to_change()
    _tell(run(layout), layout)


@pack.command()
@click.argument("name", metavar="NAME-VERSION")
def remove(name: str) -> None:
    """Remove a pack that nobody plays."""
    from appliance.releases.packs.installed import remove as run

    layout = layout_to_change()
    run(layout, name, _loaded_sha256())
    click.echo(f"{name} is removed.")


@pack.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def verify(folder: Path | None) -> None:
    """Read every file of the pack in FOLDER, or of all installed packs."""
    from appliance.packs.pack import load_pack
    from appliance.releases.packs.installed import listed

    layout = layout_here()
    if folder is not None:
        keys = layout.keys if layout.keys.is_dir() else None
        found = load_pack(folder, keys=keys)
        by = "its signature was not checked" if found.key_id is None else f"signed by key {found.key_id}"
        click.echo(f"{folder} is whole: {found.manifest.name} {found.manifest.version}, {by}.")
        return
    every = listed(layout, verify=True)
    for one in every:
        if not one.trouble:
            click.echo(f"{one.place} is whole: {one.name} {one.version}, signed by key {one.key_id}.")
    if troubles := [one.trouble for one in every if one.trouble]:
        raise PackError(" ".join(troubles))


def _tell(pack: Pack, layout: Layout) -> None:
    from appliance.watch.settings.config import Config

    click.echo(f"The service plays {pack.manifest.name} {pack.manifest.version} from the next vocal on.")
    try:
        chosen = Config.read().work.pack
    except BacklineError:
        return
    if chosen != layout.active_pack:
        text = (
            f"backline: but the settings name another pack, work.pack = {str(chosen)!r}; leave that line out."
        )
        click.echo(text, err=True)


def _loaded_sha256() -> str | None:
    """Hash of the pack that the service has loaded; None where none runs."""
    from appliance.watch.service.control import ask
    from appliance.watch.settings.config import Config

    reply = ask(Config.read().folders.state, {"ask": "status"})
    loaded = (reply or {}).get("status", {}).get("pack")
    return loaded["sha256"] if loaded else None
