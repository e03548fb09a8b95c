"""``metrics.json`` of a pack: the main figures of the report, and scores on the excerpts in the repository.

A test composes the excerpts (``tests/data/excerpts.json``) again and compares the scores, so a pack whose
music changed cannot keep an old pack's figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from train.evaluate.evaluation import METRICS
from train.evaluate.sections.facts import Fact, number

SCHEMA = 1

EXCERPT_TOLERANCE = 0.06
"""Tolerance for the mean of a metric (0-1) over the excerpts.

Other CPUs round differently, so a few notes cross a threshold. A pack with other weights differs by more.
"""


def metrics_of(report: Mapping[str, Any], excerpts: Mapping[str, Any]) -> dict[str, Any]:
    """Reduce ``evaluation.json``; sections that were not measured are left out."""
    about, sections = report["about"], report["sections"]
    metrics: dict[str, Any] = {
        "schema": SCHEMA,
        "evaluated": {key: about[key] for key in ("identity", "split", "songs", "style", "seed")},
        "promises": {
            "kept": sum(p["kept"] is True for p in report["promises"]),
            "measured": sum(p["kept"] is not None for p in report["promises"]),
        },
        "excerpts": dict(excerpts),
    }
    for name, reduce in _REDUCTIONS.items():
        if name in sections and "missing" not in sections[name]:
            metrics[name] = reduce(sections[name])
    return metrics


def _short(found: Fact) -> dict[str, Any]:
    return {k: None if found[k] is None else round(found[k], 4) for k in ("value", "low", "high", "n")}


def _by_metric(found: Mapping[str, Fact]) -> dict[str, Any]:
    return {metric: _short(found[metric]) for metric in METRICS}


def _gap(facts: Mapping[str, Any]) -> dict[str, Any]:
    summary = facts["summary"]
    reduced: dict[str, Any] = {
        name: _by_metric({metric: summary[metric][name] for metric in METRICS})
        for name in ("gap_closed", "ceiling")
    }
    if facts["chord_agreement"]:
        reduced["chord_agreement"] = _short(facts["chord_agreement"]["ours"])
    return reduced


def _noise(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        kind: {level: _by_metric(found["drop"]) for level, found in levels.items()}
        for kind, levels in facts["conditions"].items()
    }


def _steps(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "denoiser": row["name"],
            "steps": row["steps"],
            "evaluations": row["evaluations"],
            **{metric: float(number(row["gap_closed"][metric]["value"], 4)) for metric in METRICS},
        }
        for row in facts["rows"]
        if None not in (row["gap_closed"][metric]["value"] for metric in METRICS)
    ]


def _sets(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {
            "gap_closed": _by_metric({m: found["summary"][m]["gap_closed"] for m in METRICS}),
            "songs": found["songs"],
        }
        for name, found in facts["sets"].items()
    }


def _bounds(facts: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: _short(found["given"]["harmony"]) for name, found in facts["sets"].items()}
    people = {
        kind: _short(found["gap_closed"])
        for kind, found in facts["people"].items()
        if isinstance(found, Mapping)
    }
    return {"harmony_given_chords": given, "harmony_of_two_people": people}


def _coherence(facts: Mapping[str, Any]) -> dict[str, Any]:
    names = ("played_minus_written", "sevenths_minus_written", "ends")
    return {name: _short(facts["all"][name]) for name in names}


def _takes(facts: Mapping[str, Any]) -> dict[str, Any]:
    reduced = {"best_minus_one": _short(facts["best_minus_one_all"]), "takes": facts["takes"]}
    if "differing" in facts:  # reports of earlier versions lack it
        names = ("harmony_alike", "onsets_alike", "lost_all")
        reduced |= {name: _short(facts["differing"][name]) for name in names}
    return reduced


_REDUCTIONS = {
    "gap": _gap,
    "noise": _noise,
    "singing": lambda facts: {
        "ours_minus_shuffled": _short(facts["ours_minus_shuffled"]),
        "segments": facts["segments"],
        "seeds": facts["seeds"],
    },
    "takes": _takes,
    "sets": _sets,
    "bounds": _bounds,
    "coherence": _coherence,
    "gaps": lambda facts: _short(facts["all"]["with_minus_without"]),
    "precision": lambda facts: _by_metric(facts["int8_minus_fp32"]),
    "steps": _steps,
    "plan": lambda facts: _by_metric(facts["with_minus_without"]),
    "styles": lambda facts: {
        style: {metric: _short(found[metric])["value"] for metric in METRICS}
        for style, found in facts["styles"].items()
    },
}
