"""Facts of a report: every section as it would be stored."""

from __future__ import annotations

from typing import Any

from train.evaluate.evaluation import METRICS
from train.evaluate.sections.noise import SPOILINGS


def estimate(value: float, spread: float = 0.1) -> dict[str, Any]:
    return {"value": value, "low": value - spread, "high": value + spread, "n": 8}


def by_metric(value: float) -> dict[str, Any]:
    return {metric: estimate(value) for metric in METRICS}


def facts() -> dict[str, Any]:
    """Facts of all sections that only just meet every promise."""
    ceiling = {"harmony": 0.6, "consonance": 0.8, "rhythm": 0.8}
    columns = ("ours", "shuffled", "true")
    return {
        "gap": {
            "label": "x",
            "summary": {
                metric: {
                    "gap_closed": estimate(0.9 * share),
                    "ceiling": estimate(0.9),
                    **{column: estimate(0.5) for column in columns},
                }
                for metric, share in ceiling.items()
            },
            "chord_agreement": {"ours": estimate(0.4), "shuffled": estimate(0.1)},
            "coverage": {"a": 1.0},
            "failures": {},
            "rows": [
                {"piece": "a", "metric": m, "ours": 0.5, "shuffled": 0.2, "true": 1.0,
                 "ceiling": 0.9, "ceiling_shuffled": 0.2}
                for m in METRICS
            ],
        },
        "precision": {"songs": 8, "int8": by_metric(0.5), "fp32": by_metric(0.52),
                      "int8_minus_fp32": by_metric(-0.02)},
        "noise": {
            "songs": 8, "seconds": 30, "clean": by_metric(0.5),
            "conditions": {
                kind: {str(level): {"gap_closed": by_metric(0.45), "drop": by_metric(lost), "refused": 0}
                       for level, lost in ((20, 0.0), (10, 0.1), (5, 0.5))}
                for kind in SPOILINGS
            },
        },
        "singing": {
            "segments": 5, "seeds": 6, "songs": 2, "sung_s": 30.0, "notes_by": {"a": "annotated"},
            "ours": estimate(0.8), "shuffled": estimate(0.5), "rows": [],
            "ours_minus_shuffled": estimate(0.11), "ours_minus_other_songs": estimate(0.2),
        },
        "takes": {"songs": 8, "takes": 4, "best": by_metric(0.5), "one": by_metric(0.4),
                  "best_minus_one": by_metric(0.1), "best_minus_one_all": estimate(0.01),
                  "best_minus_first_all": estimate(0.02),
                  "fit_of_best": estimate(0.9), "fit_of_one": estimate(0.7),
                  "harmony_alike": estimate(0.7), "onsets_alike": estimate(0.45),
                  "differing": {"songs": 8, "harmony_alike": estimate(0.7), "onsets_alike": estimate(0.45),
                                "best": by_metric(0.5), "first": by_metric(0.5), "lost": by_metric(0.05),
                                "lost_all": estimate(0.05)}},
        "steps": {"songs": 8, "seconds": 30, "shipped_steps": 8,
                  "rows": [{"name": "shipped", "steps": n, "evaluations": n, "gap_closed": by_metric(0.5),
                            "minus_shipped": by_metric(0.0)} for n in (1, 8)]},
        "sets": {"sets": {
            name: {
                "title": f"{name} songs", "songs": 8, "failures": {},
                "chord_agreement": {"ours": estimate(0.4), "shuffled": estimate(0.1)},
                "summary": {
                    metric: {"gap_closed": estimate(value), "ceiling": estimate(0.9)}
                    for metric, value in (("harmony", harmony), ("consonance", consonance), ("rhythm", 0.7))
                },
            }
            for name, harmony, consonance in (
                ("first", 0.56, 0.8), ("polish", 0.54, 1.15), ("popular", 0.62, 9.0)
            )
        }},
        "coherence": {
            "training_songs": 9, "changes": 99, "prior": 10.0, "sets": {},
            "all": {
                "songs": 8, "chords": {"written": 9, "played": 9},
                "likelihood": {k: estimate(-3.0) for k in ("written", "played", "chart", "shuffled")},
                "played_minus_written": estimate(-0.2), "ends": estimate(0.95),
                "sevenths": {"written": estimate(0.3), "played": estimate(0.35)},
                "sevenths_minus_written": estimate(0.05),
            },
        },
        "gaps": {"sets": {}, "refused": {}, "all": {
            "songs": 8, "with": estimate(0.5), "without": estimate(0.45),
            "with_minus_without": estimate(0.05),
        }},
    }  # fmt: skip
