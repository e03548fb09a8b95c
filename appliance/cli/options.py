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
    help="Folder of the pack.",
)
PLANS_OPTION = click.option(
    "--plans",
    type=click.Path(path_type=Path),
    help="Folder of plans, such as /var/lib/backline/plans of the service.  [default: this user's]",
)
