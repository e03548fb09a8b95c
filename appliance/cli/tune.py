"""The command ``tune``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from appliance.cli.options import PACK_OPTION, PLANS_OPTION
from appliance.errors import OutputError


@click.command()
@PACK_OPTION
@PLANS_OPTION
@click.option(
    "--seconds", type=click.FloatRange(1, 3600), default=60.0, show_default=True, help="How long at most."
)
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def tune(pack: Path, plans: Path | None, seconds: float, as_json: bool) -> None:
    """Measure what is fastest on this computer, and keep it as a plan that render follows."""
    from appliance.networks.cache import cache_folder
    from appliance.packs.pack import load_pack
    from appliance.tuning.measuring import measured
    from appliance.tuning.store import plans_folder, write_plan
    from appliance.tuning.table import plan_lines, plan_sentence

    folder = plans or plans_folder()
    if folder is None:
        raise OutputError("Nobody says where plans are kept ($HOME is not set); name a folder with --plans.")
    for plan in measured(load_pack(pack), cache=cache_folder(), budget_s=seconds):
        if sys.stderr.isatty():
            click.echo(f"\rmeasuring for {plan.seconds:.0f} s ", nl=False, err=True)
    if sys.stderr.isatty():
        click.echo(err=True)
    write_plan(folder, plan)
    text = plan.to_json().rstrip() if as_json else "\n".join([plan_sentence(plan), *plan_lines(plan)])
    click.echo(text)
