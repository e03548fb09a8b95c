"""The command ``tune``: measure this CPU and keep a profile."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from appliance.cli.options import PACK_OPTION, PROFILES_OPTION
from appliance.errors import OutputError


@click.command()
@PACK_OPTION
@PROFILES_OPTION
@click.option(
    "--seconds",
    type=click.FloatRange(1, 3600),
    default=60.0,
    show_default=True,
    help="Time limit in seconds.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the profile as JSON.")
def tune(pack: Path, profiles: Path | None, seconds: float, as_json: bool) -> None:
    """Measure the fastest graph settings for this CPU, and keep them as a profile for later renders."""
    from appliance.networks.cache import cache_folder
    from appliance.packs.pack import load_pack
    from appliance.tuning.measuring import tune_pack
    from appliance.tuning.store import profiles_folder, write_profile
    from appliance.tuning.table import profile_lines, profile_sentence

    folder = profiles or profiles_folder()
    if folder is None:
        raise OutputError("$HOME is not set, so profiles have no default folder; give one with --profiles.")
    for profile in tune_pack(load_pack(pack), cache=cache_folder(), budget_s=seconds):
        if sys.stderr.isatty():
            click.echo(f"\rmeasuring for {profile.seconds:.0f} s ", nl=False, err=True)
    if sys.stderr.isatty():
        click.echo(err=True)
    write_profile(folder, profile)
    text = (
        profile.to_json().rstrip()
        if as_json
        else "\n".join([profile_sentence(profile), *profile_lines(profile)])
    )
    click.echo(text)
