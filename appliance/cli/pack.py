"""The command ``pack``: installed packs, and the one that the service uses."""

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
    """Install packs and select the one that the service uses, without stopping it."""


@pack.command("list")
@click.option("--credits", "with_credits", is_flag=True, help="Also print whom each pack owes its music to.")
def list_installed(with_credits: bool) -> None:
    """List the installed packs."""
    from appliance.releases.packs.installed import active_pack, list_packs, previous_pack

    layout = layout_here()
    words = {previous_pack(layout): "previous", active_pack(layout): "active"}
    for found in list_packs(layout):
        what = found.trouble or f"{found.name} {found.version}, signed by key {found.key_id}"
        click.echo(f"{found.folder:<24} {words.get(found.folder, ''):<8} {what}")
        if with_credits and not found.trouble:
            for line in found.credits or ("trained on data that ask for no credit",):
                click.echo(f"  {line}")


@pack.command()
@click.argument("source", metavar="FILE|FOLDER", type=click.Path(path_type=Path))
@DOWNGRADE_OPTION
def install(source: Path, allow_downgrade: bool) -> None:
    """Install a pack: a .backline-pack FILE with its signature beside it, or a signed FOLDER."""
    from appliance.releases.packs.installed import install as run

    layout = layout_to_change()
    folder = run(layout, source, allow_downgrade=allow_downgrade)
    click.echo(f"{folder} is installed; the service uses it after 'backline pack use {folder}'.")


@pack.command()
@click.argument("name", metavar="NAME[-VERSION]")
def use(name: str) -> None:
    """Select the pack for the service from the next vocal on; NAME alone selects its newest version."""
    from appliance.releases.packs.installed import use as run

    layout = layout_to_change()
    _confirm(run(layout, name), layout)


@pack.command()
def rollback() -> None:
    """Select the previous pack again."""
    from appliance.releases.packs.installed import rollback as run

    layout = layout_to_change()
    _confirm(run(layout), layout)


@pack.command()
@click.argument("name", metavar="NAME-VERSION")
def remove(name: str) -> None:
    """Remove a pack that the service does not use."""
    from appliance.releases.packs.installed import remove as run

    layout = layout_to_change()
    run(layout, name, _loaded_sha256())
    click.echo(f"{name} is removed.")


@pack.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def verify(folder: Path | None) -> None:
    """Check every file of the pack in FOLDER, or of all installed packs."""
    from appliance.packs.pack import load_pack
    from appliance.releases.packs.installed import list_packs

    layout = layout_here()
    if folder is not None:
        keys = layout.keys if layout.keys.is_dir() else None
        found = load_pack(folder, keys=keys)
        by = "its signature was not checked" if found.key_id is None else f"signed by key {found.key_id}"
        click.echo(f"{folder} is intact: {found.manifest.name} {found.manifest.version}, {by}.")
        return
    every = list_packs(layout, verify=True)
    for one in every:
        if not one.trouble:
            click.echo(f"{one.folder} is intact: {one.name} {one.version}, signed by key {one.key_id}.")
    if troubles := [one.trouble for one in every if one.trouble]:
        raise PackError(" ".join(troubles))


def _confirm(pack: Pack, layout: Layout) -> None:
    """Print the selected pack, and warn if the settings override it."""
    from appliance.watch.settings.config import Config

    click.echo(f"The service uses {pack.manifest.name} {pack.manifest.version} from the next vocal on.")
    try:
        chosen = Config.read().work.pack
    except BacklineError:
        return
    if chosen != layout.active_pack:
        text = f"backline: the settings name another pack, work.pack = {str(chosen)!r}; remove that line."
        click.echo(text, err=True)


def _loaded_sha256() -> str | None:
    """SHA-256 of the pack that the service has loaded; None if the service does not run."""
    from appliance.watch.service.control import ask
    from appliance.watch.settings.config import Config

    reply = ask(Config.read().folders.state, {"ask": "status"})
    loaded = (reply or {}).get("status", {}).get("pack")
    return loaded["sha256"] if loaded else None
