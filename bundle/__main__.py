"""The command ``python -m bundle``, and with it ``pack FOLDER``, ``image`` and ``check-cpus``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version as installed_version
from pathlib import Path

import click

from appliance.errors import BacklineError
from appliance.signatures.trusted_keys import KEYS_VARIABLE
from bundle.carriers.check_cpus import check_cpus
from bundle.carriers.deb import write_deb
from bundle.carriers.image.write import write_image
from bundle.carriers.run_file import write_run_file
from bundle.compiled.build import compiled
from bundle.compiled.cache import cache_folder
from bundle.compiled.reproducible import compare_with_another_build
from bundle.contents.pack import write_pack_file
from bundle.release import Sources, make_tree
from bundle.tools.archive import source_time
from bundle.tools.signing import signing_key

CHECKOUT = Path(__file__).resolve().parent.parent
BUILD = CHECKOUT / "build"
OUT = click.option("--out", default=CHECKOUT / "dist", type=click.Path(path_type=Path), help="Output folder.")


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@OUT
@click.option("--as-version", help="Build under another version than the project's, to test upgrades.")
@click.pass_context
def main(context: click.Context, out: Path, as_version: str | None) -> None:
    """Build what is carried to the studio. Without a command: the complete release."""
    os.environ.pop(KEYS_VARIABLE, None)  # the pack is loaded before it is signed
    if context.invoked_subcommand is None:
        _release(out, as_version or installed_version("backline"))


def _teller() -> Callable[[str], None]:
    """Prints the name of each step after the seconds since now."""
    began = time.monotonic()
    return lambda step: click.echo(f"{time.monotonic() - began:6.1f} s  {step}")


def _sources(version: str) -> Sources:
    """What the release ``version`` of this checkout is built from."""
    key, time_s = signing_key(BUILD), source_time(CHECKOUT)
    return Sources(CHECKOUT, BUILD, cache_folder(BUILD), version, time_s, key)


def _release(out: Path, version: str) -> None:
    say, sources = _teller(), _sources(version)
    release, key, time_s = make_tree(sources, say), sources.key, sources.time_s
    say("the .run file")
    run_file = write_run_file(release, out, key, time_s)
    say("the Debian package")
    deb = write_deb(release, run_file, out, time_s)
    say("done")
    for file in (run_file, deb):
        click.echo(f"{file}: {file.stat().st_size / 1e6:.1f} MB")
    click.echo(
        f"installed: {release.size_bytes / 1e6:.1f} MB; requires GNU C library "
        f"{'.'.join(map(str, release.glibc))} or later; signed with {key.id}"
    )


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@OUT
def pack(folder: Path, out: Path) -> None:
    """Sign the pack in FOLDER and write it as one file."""
    file = write_pack_file(folder, out, signing_key(BUILD), source_time(CHECKOUT))
    click.echo(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


@main.command()
@OUT
def image(out: Path) -> None:
    """Build the release as a container image, a file that podman and docker load."""
    say, sources = _teller(), _sources(installed_version("backline"))
    release = make_tree(sources, say)
    say("the image")
    file = write_image(release, out, sources.time_s)
    say("done")
    click.echo(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


@main.command()
@click.option(
    "--check-reproducible", is_flag=True, help="Compile everything once more and compare the bytes."
)
def interpreter(check_reproducible: bool) -> None:
    """Compile the bundled Python, the opener and the mathematical library, unless the cache has them."""
    say = _teller()
    cache = cache_folder(BUILD)
    for folder in compiled(CHECKOUT, cache, say):
        click.echo(str(folder))
    if check_reproducible:
        for line in compare_with_another_build(CHECKOUT, cache, say):
            click.echo(line)


@main.command("check-cpus")
@click.argument("tree", required=False, type=click.Path(path_type=Path))
@click.option("--render", is_flag=True, help="Also render a few bars, which takes minutes.")
def cpus(tree: Path | None, render: bool) -> None:
    """Run the unpacked release TREE (default: the last one built) on emulated older processors."""
    folder = tree or next((BUILD / "tree").glob("backline-*"), BUILD / "tree")
    for line in check_cpus(folder, render):
        click.echo(line)


if __name__ == "__main__":
    try:
        main(prog_name="python -m bundle")
    except BacklineError as error:
        click.echo(f"bundle: {error}", err=True)
        sys.exit(error.exit_code)
