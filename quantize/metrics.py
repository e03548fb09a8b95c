"""Adds reference metrics to a finished pack: ``python -m quantize.metrics PACK FILE``.

The pack is rebuilt in a folder beside it and then swapped in, so it is complete at any moment. Only
``metrics.json`` and its line in ``pack.json`` change, and with them the pack's hash.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from appliance.errors import BacklineError
from appliance.packs.manifest import MANIFEST_NAME
from appliance.packs.pack import Pack, file_facts, load_pack
from quantize.pack_folder import METRICS_NAME, add_metrics, staged, write_manifest


def replace_metrics(pack: Path, metrics: Path) -> Pack:
    """Copy ``metrics`` into ``pack`` as ``metrics.json``, replacing an earlier one; returns the new pack.

    Raises:
        PackError: ``pack`` is missing, incomplete or damaged.
        UsageError: ``metrics`` is not JSON.
        OutputError: the folder cannot be written.
    """
    manifest = load_pack(pack).manifest
    with staged(pack, {METRICS_NAME, MANIFEST_NAME, *manifest.files}) as part:
        for name in manifest.files.keys() - {METRICS_NAME}:
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(pack / name, part / name)
        add_metrics(part, metrics)
        files = {**manifest.files, METRICS_NAME: file_facts(part / METRICS_NAME)}
        write_manifest(part, manifest.model_copy(update={"files": dict(sorted(files.items()))}))
    return load_pack(pack)


@click.command(help=(__doc__ or "").split(": ")[0] + ".")
@click.argument("pack", type=click.Path(path_type=Path))
@click.argument("metrics", type=click.Path(path_type=Path))
def main(pack: Path, metrics: Path) -> None:
    try:
        done = replace_metrics(pack, metrics)
    except BacklineError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{done.folder}: {METRICS_NAME} added; the pack's hash is now {done.sha256}")


if __name__ == "__main__":
    main()
