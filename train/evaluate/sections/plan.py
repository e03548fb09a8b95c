"""Section: the pack with and without the plan in its condition."""

from __future__ import annotations

from train.evaluate.evaluation import METRICS, compare
from train.evaluate.sections.facts import fact, gaps, shown, table
from train.evaluate.sections.section import Facts, Section
from train.evaluate.sections.setting import SHORT_S, EvaluationSetting


def measure(setting: EvaluationSetting) -> Facts:
    pieces = setting.pieces(1, SHORT_S)
    both = (setting.notes_only(), setting.notes_only(plan=False))
    setting.prepare([(piece, renderer) for renderer in both for piece in pieces], "plan")
    planned = setting.judged(pieces, both[0])
    unplanned = setting.judged(pieces, both[1])
    return {
        "songs": len(pieces),
        "seconds": SHORT_S,
        "with": gaps(planned),
        "without": gaps(unplanned),
        "with_minus_without": {metric: fact(compare(planned, unplanned, metric)) for metric in METRICS},
    }


def describe(facts: Facts) -> str:
    rows = [
        [
            metric,
            shown(facts["with"][metric]),
            shown(facts["without"][metric]),
            shown(facts["with_minus_without"][metric], sign=True),
        ]
        for metric in METRICS
    ]
    return (
        f"{facts['songs']} songs of {facts['seconds']:g} s, judged by their notes. Without: plan and "
        "certainty are zero, as sometimes in training; nothing was retrained.\n\n"
        + table(("metric", "with plan", "without", "difference"), rows)
    )


PLAN = Section("plan", "Plan", measure, describe)
