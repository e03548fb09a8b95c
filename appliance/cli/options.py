"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

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

_DIALS = {
    "density": "More strokes a beat (or fewer).",
    "register": "Higher (or lower).",
    "syncopation": "More against the beat (or less).",
    "articulation": "More legato (or more detached).",
    "voices": "More notes a stroke (or fewer).",
    "doubling": "More of the sung tune in the band (or less).",
    "colour": "More chords with sevenths and more (or fewer).",
}


def dial_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The seven dials (:mod:`appliance.music.dials`) as options of a command."""
    for dial, help_text in reversed(_DIALS.items()):
        command = click.option(f"--{dial}", type=float, metavar="-2..2", help=help_text)(command)
    return command
