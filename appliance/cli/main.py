"""Entry point of the command ``backline``, with ``render`` and ``doctor``.

It checks the CPU before it imports any library that would crash on an old one, such as NumPy.
"""

from __future__ import annotations

import json
import signal
import sys
from contextlib import closing
from importlib.metadata import version as installed_version
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from appliance.cli import pack as cli_pack
from appliance.cli import redo as cli_redo
from appliance.cli import release as cli_release
from appliance.cli import tune as cli_tune
from appliance.cli import watch as cli_watch
from appliance.cli.options import PACK_OPTION, PROFILES_OPTION, dial_options
from appliance.cli.results import print_table, progress_bar
from appliance.errors import INTERRUPTED_EXIT_CODE, BacklineError
from appliance.system.cpu import cpu_trouble, read_cpu, require_machine

if TYPE_CHECKING:
    from appliance.composing.wishes import Wishes
    from appliance.rendering.engine import Engine
    from appliance.rendering.job import RenderJob
    from appliance.rendering.receipt import Receipt


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="backline", prog_name="backline")
def cli() -> None:
    """Render accompaniments for vocal recordings, offline, on this computer."""


@cli.command()
@click.argument("vocals", metavar="VOCAL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the results.")
@click.option("--takes", default=1, show_default=True, help="Number of different accompaniments.")
@click.option(
    "--seed", default=0, show_default=True, help="Seed of the first take; the same seed gives the same music."
)
@click.option(
    "--variety",
    type=click.FloatRange(0, 1),
    help="How far the harmony of seeds other than 0 departs from the most likely one; default: as usual with "
    "the pack.",
)
@click.option("--bpm", type=float, help="Tempo in beats per minute, if the song was sung to a click.")
@click.option("--half-time", is_flag=True, help="Take every other one of the beats that are heard.")
@click.option("--double-time", is_flag=True, help="Take twice as many beats as are heard.")
@click.option("--beats", type=click.Path(path_type=Path), help="File with the time of every beat.")
@click.option("--rhythm", type=click.Path(path_type=Path), help="File with a rhythm plan to play.")
@click.option("--key", help="Musical key, such as Eb or 'F# minor'.")
@click.option("--chords", type=click.Path(path_type=Path), help="File with a chord chart to play.")
@click.option("--style", default="piano", show_default=True, help="What the band plays and how.")
@click.option("--sound", default="band", show_default=True, help="band: soundfont; neural: audio decoder.")
@click.option(
    "--tuning", default="singer", show_default=True, help="The band's A: the singer's, or in Hz such as 440."
)
@click.option(
    "--transpose", default=0, show_default=True, help="Semitones by which the band plays higher (or lower)."
)
@dial_options
@click.option("--like", type=click.Path(path_type=Path), help="MIDI file; play in its manner.")
@PACK_OPTION
@click.option("--force", is_flag=True, help="Render even if no singing is detected.")
@click.option("--overwrite", is_flag=True, help="Replace earlier results of the same name.")
@click.option("--json", "as_json", is_flag=True, help="Print the receipts as JSON lines.")
def render(vocals: tuple[Path, ...], pack: Path, as_json: bool, **options: Any) -> None:
    """Render an accompaniment for each VOCAL (WAV, AIFF, FLAC, OGG, MP3)."""
    from appliance.networks.cache import cache_folder
    from appliance.rendering.engine import Engine
    from appliance.rendering.job import RenderJob
    from appliance.tuning.store import profiles_folder

    where = {name: options.pop(name) for name in ("out", "force", "overwrite")}
    wishes = _read_wishes(**options)
    rows, first_error = [], 0
    with closing(Engine(pack, cache=cache_folder(), wait=False, profiles=profiles_folder())) as engine:
        if engine.profile_trouble:
            click.echo(f"backline: {engine.profile_trouble}", err=True)
        for vocal in vocals:
            try:
                receipts = _render_with_progress(engine, RenderJob(vocal, wishes=wishes, **where))
            except BacklineError as error:
                click.echo(f"backline: {error}", err=True)
                first_error = first_error or error.exit_code
                continue
            for remark in receipts[0].remarks:
                click.echo(f"backline: {vocal}: {remark}", err=True)
            rows += receipts
            for second, seconds in receipts[0].facts["vocal"]["damaged"]:
                click.echo(
                    f"backline: {vocal}: {1000 * seconds:.0f} ms at {second:.1f} s are damaged; "
                    "silence stands there.",
                    err=True,
                )
            if as_json:
                for receipt in receipts:
                    click.echo(json.dumps(receipt.facts, ensure_ascii=False))
    if rows and not as_json:
        print_table(rows)
    sys.exit(first_error)


def _read_wishes(
    chords: Path | None,
    beats: Path | None,
    rhythm: Path | None,
    like: Path | None,
    tuning: str,
    **dials: Any,
) -> Wishes:
    """Build the wishes from the options, with the texts of the files they name. Raises UsageError."""
    from appliance.composing.wishes import TEMPO_WISHES, Wishes
    from appliance.errors import UsageError
    from appliance.files.text import read_text
    from appliance.music.keys import Key

    wishes = Wishes.from_options(tuning=_number(tuning), **dials)
    for name in TEMPO_WISHES:
        if getattr(wishes, name) and beats is not None:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} and --beats contradict each other; give only one of them.")
    if wishes.key is not None:
        Key.parse(wishes.key)  # report a bad key before the recording is read
    files = {
        "chords": (chords, "the chord chart"),
        "beats": (beats, "the beats"),
        "rhythm": (rhythm, "the rhythm"),
    }
    texts: dict[str, str] = {}
    for name, (path, what) in files.items():
        if path is not None:
            texts |= {name: read_text(path, what), f"{name}_name": str(path)}
    if like is not None:
        from appliance.composing.reference import read_reference

        return wishes.model_copy(update={**texts, "like": read_reference(like), "like_name": like.name})
    return wishes.model_copy(update=texts)


def _number(text: str) -> float | str:
    """``text`` as a number where it is one."""
    try:
        return float(text)
    except ValueError:
        return text


def _render_with_progress(engine: Engine, job: RenderJob) -> list[Receipt]:
    from appliance.rendering.render import render as render_job

    with progress_bar() as progress:
        task = progress.add_task(job.vocal.name, total=1.0)
        return render_job(
            engine,
            job,
            installed_version("backline"),
            lambda share: progress.update(task, completed=share),
        )


@cli.command()
@PACK_OPTION
@click.option(
    "--out", default=Path(), type=click.Path(path_type=Path), help="Folder whose free space is checked."
)
@PROFILES_OPTION
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
def doctor(pack: Path, out: Path, profiles: Path | None, as_json: bool) -> None:
    """Check whether this computer can run Backline: CPU, memory, disk, pack, kernels, profile."""
    from appliance.doctor.examine import doctor as examine

    if profiles is None and not cpu_trouble(read_cpu()):  # the import below crashes on an old CPU
        from appliance.tuning.store import profiles_folder

        profiles = profiles_folder()
    report = examine(pack, out, profiles=profiles)
    if as_json:
        click.echo(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
    else:
        for check in report.checks:
            click.echo(f"{check.status:>4}  {check.name}: {check.sentence}")
            if check.status != "ok" and check.remedy:
                click.echo(f"      {check.remedy}")
            for line in check.lines:
                click.echo(f"      {line}")
    sys.exit(report.exit_code)


cli.add_command(cli_redo.redo)
cli_watch.register(cli)
cli.add_command(cli_tune.tune)
for command in (cli_release.release, cli_release.keys, cli_pack.pack):
    cli.add_command(command)


def main() -> None:
    """Entry point of the command. An expected error ends it with one sentence and the error's exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if "doctor" not in sys.argv[1:2]:  # doctor reports an unsuitable computer itself
            require_machine()
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BacklineError as error:
        click.echo(f"backline: {error}", err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("backline: stopped; unfinished files were removed.", err=True)
        sys.exit(INTERRUPTED_EXIT_CODE)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
