"""The commands ``release`` and ``keys``: installed releases, and trusted signing keys."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.errors import ReleaseError, UsageError

if TYPE_CHECKING:
    from appliance.releases.layout import Layout

DOWNGRADE_OPTION = click.option("--allow-downgrade", is_flag=True, help="Accept an older version too.")


def layout_here() -> Layout:
    """The installation that the command works on."""
    from appliance.releases.layout import Layout

    return Layout.here()


def layout_to_change() -> Layout:
    """The same, for a command that changes it. Raises UsageError if this user may not write to it."""
    layout = layout_here()
    os.umask(0o022)
    place = layout.prefix if layout.prefix.exists() else layout.prefix.parent
    if not os.access(place, os.W_OK):
        raise UsageError(f"{layout.prefix}: this user may not change it; run the command as root.")
    return layout


@click.group()
def release() -> None:
    """Install a release, return to the previous one, or uninstall Backline."""


@release.command("list")
def list_releases() -> None:
    """List the installed releases."""
    from appliance.releases.layout import release_at
    from appliance.releases.versions import is_version, order

    layout = layout_here()
    words = {release_at(layout.previous): "previous", release_at(layout.current): "current"}
    for version in sorted(filter(is_version, layout.installed()), key=order):
        click.echo(f"{version:<12} {words.get(version, '')}".rstrip())


@release.command()
@click.argument("file", type=click.Path(path_type=Path))
@DOWNGRADE_OPTION
def install(file: Path, allow_downgrade: bool) -> None:
    """Install the release FILE (.run), whose signature lies beside it, and run it."""
    from appliance.releases.install import install_release

    layout = layout_to_change()
    install_release(file, layout, allow_downgrade=allow_downgrade, say=click.echo)


@release.command(hidden=True)
@click.argument("staged", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Accepted and ignored: the command never asks.")
@DOWNGRADE_OPTION
def activate(staged: Path, yes: bool, allow_downgrade: bool) -> None:
    """Test the unpacked release STAGED and run it. The .run file calls this."""
    from appliance.releases.activate import activate as run

    layout = layout_to_change()
    run(staged, layout, allow_downgrade=allow_downgrade, say=click.echo)


@release.command()
def rollback() -> None:
    """Run the previous release again."""
    from appliance.releases.activate import rollback as run

    layout = layout_to_change()
    run(layout, click.echo)


@release.command("self-test")
def self_test() -> None:
    """Render the demo of this release and check the result."""
    from appliance.releases.layout import own_tree
    from appliance.releases.self_test import self_test as run

    tree = own_tree()
    if tree is None:
        raise ReleaseError(
            "This program is not an installed release; in a checkout, run 'make demo' instead."
        )
    click.echo(run(tree))


@release.command()
@click.option("--purge", is_flag=True, help="Remove the music, the journal and the settings too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def uninstall(purge: bool, yes: bool) -> None:
    """Remove the program. Music, journal and settings stay."""
    from appliance.releases.uninstall import data_folders
    from appliance.releases.uninstall import uninstall as run

    layout = layout_to_change()
    folders = ", ".join(map(str, data_folders(layout)))
    if purge and folders and not yes:
        click.echo(f"This removes permanently: {folders}.")
        if click.prompt("Type yes to continue", default="no", show_default=False) != "yes":
            raise UsageError("Nothing was removed.")
    run(layout, click.echo, purge=purge)
    left = folders if folders and not purge else ""
    click.echo("Backline is removed." + (f" Your files stay in {left}." if left else ""))
    sys.stdout.flush()


@click.group()
def keys() -> None:
    """Manage the signing keys that this computer trusts."""


@keys.command("list")
def list_keys() -> None:
    """List the trusted signing keys."""
    from appliance.signatures.trusted_keys import trusted_keys

    for path, key in trusted_keys(layout_here().keys).items():
        click.echo(f"{key.id}  {path}")


@keys.command()
@click.argument("file", type=click.Path(path_type=Path))
def add(file: Path) -> None:
    """Trust the minisign public key in FILE."""
    from appliance.releases.lock import locked
    from appliance.signatures.trusted_keys import add_key

    layout = layout_to_change()
    with locked(layout):
        key = add_key(layout.keys, file)
    click.echo(f"Key {key.id} is trusted: this computer accepts releases and packs that it signed.")


@keys.command()
@click.argument("key_id", metavar="ID")
def remove(key_id: str) -> None:
    """Stop trusting the key with this ID."""
    from appliance.releases.lock import locked
    from appliance.signatures.trusted_keys import remove_key

    layout = layout_to_change()
    with locked(layout):
        remove_key(layout.keys, key_id)
    click.echo(f"Key {key_id.upper()} is no longer trusted. Packs that it signed fail when loaded next.")
