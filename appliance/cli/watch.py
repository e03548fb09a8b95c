"""The commands of the watched folder: ``watch`` runs the service, the others ask it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appliance.errors import OutputError

if TYPE_CHECKING:
    from appliance.watch.settings.config import Config

CONFIG_OPTION = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="Settings file.  [default: $BACKLINE_CONFIG or /etc/backline/backline.toml]",
)
JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

DOWN_EXIT_CODE = 1
"""Exit code of ``status`` if the service does not run."""


def register(cli: click.Group) -> None:
    """Add the commands to ``backline``."""
    for command in (watch, status, history, requeue, pause, resume, hook, config):
        cli.add_command(command)


@click.command()
@CONFIG_OPTION
@click.option("--adopt-inbox", is_flag=True, help="Confirm the inbox: create its sentinel file.")
def watch(config_path: Path | None, adopt_inbox: bool) -> None:
    """Render each vocal that appears in the inbox, until stopped. The service runs this command."""
    try:
        from appliance.watch.service.daemon import watch as run

        code = run(config_path, adopt_inbox=adopt_inbox)
    except KeyboardInterrupt:  # stopped before the daemon handles signals; no job has begun
        code = 0
    sys.exit(code)


@click.command()
@CONFIG_OPTION
@JSON_OPTION
def status(config_path: Path | None, as_json: bool) -> None:
    """Show what the service is doing."""
    from appliance.watch.service.telling import down_facts, status_lines

    reply = _asked(
        config_path, {"ask": "status"}, lambda journal: {"status": down_facts(journal, time.time())}
    )
    facts = reply["status"]
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        click.echo("\n".join(status_lines(facts)))
    sys.exit(DOWN_EXIT_CODE if facts["state"] == "down" else 0)


@click.command()
@CONFIG_OPTION
@JSON_OPTION
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Number of vocals."
)
def history(config_path: Path | None, as_json: bool, limit: int) -> None:
    """List the vocals that were rendered or rejected last, newest first."""
    from appliance.watch.service.telling import history_facts

    request = {"ask": "history", "limit": limit}
    jobs = _asked(config_path, request, lambda journal: {"jobs": history_facts(journal, limit)})["jobs"]
    for job in jobs:
        if as_json:
            click.echo(json.dumps(job))
            continue
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(job["finished_s"]))
        what = job["result"] if job["state"] == "done" else job["reason"]
        click.echo(f"{job['job']:>6}  {when}  {job['state']:<11}  {job['vocal']}  {what}")


@click.command()
@CONFIG_OPTION
@click.argument("job")
def requeue(config_path: Path | None, job: str) -> None:
    """Render JOB again. JOB is a number from the history or the vocal's path in the inbox."""
    which = {"job": int(job)} if job.isdecimal() else {"path": job}
    reply = _asked(config_path, {"ask": "requeue", **which})
    click.echo(f"{reply['vocal']} is queued again.")


@click.command()
@CONFIG_OPTION
@click.option("--reason", default="paused by hand", show_default=True, help="Text for the status.")
def pause(config_path: Path | None, reason: str) -> None:
    """Start no further job until resumed, even after a restart. A running job continues."""
    _asked(config_path, {"ask": "pause", "reason": reason})


@click.command()
@CONFIG_OPTION
def resume(config_path: Path | None) -> None:
    """Continue after a pause."""
    _asked(config_path, {"ask": "resume"})


@click.command()
@CONFIG_OPTION
@click.argument("event", type=click.Choice(["done", "rejected", "paused", "failed"]))
def hook(config_path: Path | None, event: str) -> None:
    """Run the command that the settings name for EVENT, with the current environment."""
    from appliance.watch.reports.hooks import run_now

    command = getattr(_config(config_path).hooks, event)
    if command:
        run_now(event, command, os.environ)
    else:
        click.echo(f"No hooks.{event} is set.")


@click.command()
@CONFIG_OPTION
@click.option("--check", is_flag=True, help="Check the settings against this computer.")
@click.option("--show", is_flag=True, help="Print all settings with their documentation.")
def config(config_path: Path | None, check: bool, show: bool) -> None:
    """Check or show the settings."""
    from appliance.watch.settings.check import problems
    from appliance.watch.settings.config import config_path as path_of
    from appliance.watch.settings.text import config_text

    if check == show:
        raise click.UsageError("Give either --check or --show.")
    settings = _config(config_path)
    if show:
        click.echo(config_text(settings), nl=False)
        return
    found = problems(settings)
    for problem in found:
        click.echo(f"backline: {problem}", err=True)
    if not found:
        click.echo(f"{path_of(config_path)} is valid.")
    sys.exit(1 if found else 0)


def _config(config_path: Path | None) -> Config:
    from appliance.watch.settings.config import Config

    return Config.read(config_path)


def _asked(
    config_path: Path | None,
    request: dict[str, Any],
    from_journal: Callable[[Any], dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """The service's reply, or ``from_journal`` of the journal if the service does not run.

    Raises OutputError if the service does not run and ``from_journal`` is None, or if the journal is locked.
    """
    from appliance.watch.journal.file import JOURNAL_NAME, reading
    from appliance.watch.journal.reader import Reader
    from appliance.watch.service.control import ask

    state = _config(config_path).folders.state
    reply = ask(state, request)
    if reply is not None:
        return reply
    if from_journal is None:
        raise OutputError(f"{state}: no 'backline watch' runs with this folder; start it and try again.")
    try:
        with reading(state) as db:
            return from_journal(None if db is None else Reader(db, state / JOURNAL_NAME))
    except BlockingIOError as error:
        raise OutputError(f"{state}: 'backline watch' is starting or stopping; try again soon.") from error
