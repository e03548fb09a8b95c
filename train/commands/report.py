"""Commands that evaluate a pack: the full report, and the metrics that go into the pack."""

from __future__ import annotations

import json
from pathlib import Path

import click

from train.commands.data import CORPORA

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_SECTIONS = (
    *("gap", "sets", "bounds", "coherence", "languages", "singing", "noise", "takes", "precision", "steps"),
    *("plan", "gaps", "styles"),
)
_MISSING = {"others": "a second CORPUS", "cache": "the song cache (`train songs`, or --cache)"}
"""What a section needs besides options, for the message that it is skipped."""

EXCERPTS = Path(__file__).parents[2] / "tests" / "data" / "excerpts.json"


@click.command()
@click.argument("pack", type=_FOLDER)
@CORPORA
@click.option("--section", "names", multiple=True, type=click.Choice(_SECTIONS), help="Default: all.")
@click.option("--split", default="test")
@click.option("--songs", "count", default=24, help="Songs of the main table; other sections use fewer.")
@click.option("--set-songs", default=24, help="Most songs of each song set of a further CORPUS.")
@click.option("--style", default="piano")
@click.option("--seed", default=0)
@click.option("--vocals", type=_FOLDER, help="Recordings of real singing, for the section `singing`.")
@click.option("--fp32", type=_FOLDER, help="The same pack in FP32, for the section `precision`.")
@click.option("--undistilled", type=_FOLDER, help="A pack of the undistilled denoiser, for `steps`.")
@click.option("--baseline", type=_FOLDER, help="The pack of the release before, for `takes`.")
@click.option("--cache", type=_FOLDER, help="Song cache, for `coherence`; default: that under --runs.")
@click.option("--out", type=click.Path(path_type=Path), help="Default: a folder under --runs.")
@click.option("--workers", default=2)
@click.pass_obj
def evaluate(
    runs: Path,
    pack: Path,
    corpora: tuple[Path, ...],
    names: tuple[str, ...],
    split: str,
    count: int,
    set_songs: int,
    style: str,
    seed: int,
    vocals: Path | None,
    fp32: Path | None,
    undistilled: Path | None,
    baseline: Path | None,
    cache: Path | None,
    out: Path | None,
    workers: int,
) -> None:
    """Judge PACK on songs of CORPUS that it was not trained on, and write one page with all measurements.

    Most sections use the first CORPUS alone; further ones add song sets beside it.

    When stopped and run again, it continues. The page includes sections that were measured before.
    """
    from train.evaluate.players.renderers import code_hash
    from train.evaluate.sections import SECTIONS
    from train.evaluate.sections.page import write_page
    from train.evaluate.sections.promises import as_table, promises
    from train.evaluate.sections.setting import EvaluationSetting

    folder = runs / "evaluation" / split
    setting = EvaluationSetting(
        pack=pack,
        corpus=corpora[0],
        folder=folder,
        split=split,
        songs=count,
        style=style,
        seed=seed,
        workers=workers,
        code=code_hash(),
        vocals=vocals,
        fp32=fp32,
        undistilled=undistilled,
        baseline=baseline,
        others=corpora[1:] or None,
        set_songs=set_songs,
        cache=cache or _cache_below(runs),
    )
    measured = {}
    for section in SECTIONS:
        wanted = not names or section.name in names
        if wanted and section.possible(setting):
            measured[section.name] = section.run(setting, folder / "sections")
        elif (stored := section.stored(setting, folder / "sections")) is not None:
            measured[section.name] = stored
        elif wanted:
            missing = [_MISSING.get(n, f"--{n}") for n in section.needs if getattr(setting, n) is None]
            click.echo(f"{section.name} is skipped: it needs {' and '.join(missing)}.", err=True)
    page = write_page(setting.about(), SECTIONS, measured, out or folder / "report")
    click.echo(as_table(promises(measured)))
    click.echo(f"\n{page}")


def _cache_below(runs: Path) -> Path | None:
    """The song cache among the caches of training; None if it was not built."""
    folder = runs / "cache" / "songs"
    return folder if (folder / "index.json").is_file() else None


@click.command()
@click.argument("pack", type=_FOLDER)
@click.option("--report", type=_FOLDER, default=Path("docs/reference"), help="Folder with evaluation.json.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The JSON file.")
def metrics(pack: Path, report: Path, out: Path) -> None:
    """Reduce a report to metrics.json, with PACK's scores on the excerpts in the repository.

    `python -m quantize.metrics PACK FILE` adds the file to the pack.
    """
    from appliance.packs.pack import load_pack
    from train.evaluate.pack.metrics_file import metrics_of
    from train.evaluate.pack.shipped import judge_shipped, read_excerpts
    from train.evaluate.players.renderers import music_hash
    from train.evaluate.sections.page import DATA

    file = report / DATA
    if not file.is_file():
        raise click.ClickException(f"{file}: no report; run `python -m train evaluate --out {report}`.")
    report_of = json.loads(file.read_text())
    if report_of["about"]["identity"] != music_hash(load_pack(pack)):
        raise click.ClickException(f"{file}: the report of another pack; evaluate {pack} first.")
    reduced = metrics_of(report_of, judge_shipped(pack, read_excerpts(EXCERPTS)))
    out.write_text(json.dumps(reduced, indent=2, sort_keys=True) + "\n")
    click.echo(f"{out}: {', '.join(sorted(reduced))}")
