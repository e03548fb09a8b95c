"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

PACK_OPTION = click.option(
    "--pack",
    type=click.Path(path_type=Path),
    default=Path("packs/reference"),
    show_default=True,
    envvar="BACKLINE_PACK",
    help="Folder of the pack to use.",
)
PROFILES_OPTION = click.option(
    "--profiles",
    "--plans",  # the option's name in earlier releases
    "profiles",
    type=click.Path(path_type=Path),
    help="Folder of profiles; the service's is /var/lib/backline/profiles.  [default: this user's]",
)
