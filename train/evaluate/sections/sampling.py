"""Section: the pack at several numbers of sampling steps, and the denoiser it was distilled from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from train.evaluate.evaluation import METRICS, compare
from train.evaluate.players.renderers import PackRenderer
from train.evaluate.sections.facts import Fact, fact, gaps, number, shown, table
from train.evaluate.sections.pictures import curves
from train.evaluate.sections.section import Facts, Section
from train.evaluate.sections.setting import SHORT_S, EvaluationSetting

STEPS = (1, 2, 4, 8)
UNDISTILLED_STEPS = 50
SHARE = 2


def measure(setting: EvaluationSetting) -> Facts:
    pieces = setting.pieces(SHARE, SHORT_S)
    own = setting.manifest().sampler.steps
    renderers = _renderers(setting)
    setting.prepare([(piece, renderer) for _, renderer in renderers for piece in pieces], "steps")
    shipped = setting.judged(pieces, setting.notes_only())
    rows = []
    for name, renderer in renderers:
        found = setting.judged(pieces, renderer)
        sampler = setting.manifest(renderer.pack).sampler
        steps = renderer.steps or own
        rows.append(
            {
                "name": name,
                "steps": steps,
                "evaluations": forward_passes(steps, sampler.guidance),
                "gap_closed": gaps(found),
                "minus_shipped": {metric: fact(compare(found, shipped, metric)) for metric in METRICS},
            }
        )
    return {"songs": len(pieces), "seconds": SHORT_S, "shipped_steps": own, "rows": rows}


def _renderers(setting: EvaluationSetting) -> list[tuple[str, PackRenderer]]:
    own = setting.manifest().sampler.steps
    # The pack's own number of steps is passed as None, so that stored notes are reused.
    chosen = sorted({*STEPS, own})
    rows = [("shipped", setting.notes_only(steps=None if n == own else n)) for n in chosen]
    if setting.undistilled is not None:
        undistilled = replace(setting.notes_only(steps=UNDISTILLED_STEPS), pack=setting.undistilled)
        rows.append(("undistilled", undistilled))
    return rows


def forward_passes(steps: int, guidance: float) -> int:
    """Forward passes of the denoiser per window; guidance takes two per step."""
    return steps * (1 if guidance == 1.0 else 2)


def describe(facts: Facts) -> str:
    rows = []
    for row in facts["rows"]:
        gap: dict[str, Fact] = row["gap_closed"]
        minus = (number(row["minus_shipped"][m]["value"], 2, sign=True) for m in METRICS)
        figures = [f"{shown(gap[m])} ({d})" for m, d in zip(METRICS, minus, strict=True)]
        rows.append([row["name"], str(row["steps"]), str(row["evaluations"]), *figures])
    return (
        f"{facts['songs']} songs of {facts['seconds']:g} s, judged by their notes, not as audio. In "
        f"parentheses: the difference from the pack as shipped ({facts['shipped_steps']} steps), with paired "
        "songs.\n\n" + table(("denoiser", "steps", "evaluations a window", *METRICS), rows)
    )


def draw(facts: Facts, file: Path) -> None:
    panels = {
        metric: {
            "steps": {
                f"{row['steps']}{' undistilled' if row['name'] == 'undistilled' else ''}": row["gap_closed"][
                    metric
                ]
                for row in facts["rows"]
            }
        }
        for metric in METRICS
    }
    curves(panels, "steps", "gap closed", file)


STEPS_SECTION = Section("steps", "Steps", measure, describe, draw, asks=("undistilled",))
