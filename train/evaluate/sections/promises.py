"""Compares every promised number with its measurement."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from functools import partial
from typing import Any

from train.evaluate.evaluation import METRICS
from train.evaluate.sections.facts import Fact, number, percent, shown, table
from train.evaluate.sections.gap import of_the_ceiling
from train.evaluate.sections.musical_promises import musical_promises
from train.evaluate.sections.noise import SPOILINGS
from train.evaluate.sections.promise import NOT_MEASURED, Promise, Sections, judged

OF_THE_CEILING = {"harmony": 0.6, "consonance": 0.8, "rhythm": 0.8}
"""Minimum gap closed, relative to the ceiling (the written score played and judged)."""

MAX_LOSS_TO_INT8 = 0.02
MAX_LOSS_TO_NOISE = 0.10
NOISE_DB = "10"
MAX_FORWARD_PASSES = 8


def promises(sections: Sections) -> list[Promise]:
    """All promises, in the order of the report."""
    return [*_gap(sections), *_precision(sections), *_noise(sections), *_singing(sections), *_takes(sections),
            *_steps(sections), *musical_promises(sections)]  # fmt: skip


def as_table(found: list[Promise]) -> str:
    """Markdown: the number of kept promises, and a table."""
    kept = sum(promise.kept is True for promise in found)
    measured = sum(promise.kept is not None for promise in found)
    verdict = {True: "met", False: "**not met**", None: NOT_MEASURED}
    rows = [[p.what, p.asked, p.measured, verdict[p.kept]] for p in found]
    count = f"{kept} of {measured} measured promises are met"
    count += f"; {len(found) - measured} were not measured." if measured < len(found) else "."
    return count + "\n\n" + table(("promise", "asked", "measured", ""), rows)


def _gap(sections: Sections) -> Iterator[Promise]:
    for metric, asked in OF_THE_CEILING.items():
        what = f"{metric}: gap closed, of the judge's ceiling"
        share = partial(_share, metric)
        yield judged(sections, "gap", what, f">= {asked}", share, partial(operator.le, asked))


def _share(metric: str, facts: Any) -> tuple[float | None, str]:
    found = of_the_ceiling(facts, metric)
    return found, f"{number(found)} (gap closed {shown(facts['summary'][metric]['gap_closed'])})"


def _precision(sections: Sections) -> Iterator[Promise]:
    for metric in METRICS:
        what, asked = f"{metric}: INT8 loses against FP32", f"<= {MAX_LOSS_TO_INT8}"
        loss = partial(_loss_to_int8, metric)
        yield judged(sections, "precision", what, asked, loss, partial(operator.ge, MAX_LOSS_TO_INT8))


def _loss_to_int8(metric: str, facts: Any) -> tuple[float | None, str]:
    return _negated(facts["int8_minus_fp32"][metric], 3)


def _noise(sections: Sections) -> Iterator[Promise]:
    for kind in SPOILINGS:
        for metric in METRICS:
            what = f"{metric}: gap closed lost to {kind} at {NOISE_DB} dB"
            asked = f"<= {MAX_LOSS_TO_NOISE:.0%}"
            lost = partial(_lost_to_noise, kind, metric)
            yield judged(sections, "noise", what, asked, lost, partial(operator.ge, MAX_LOSS_TO_NOISE))


def _lost_to_noise(kind: str, metric: str, facts: Any) -> tuple[float | None, str]:
    found = facts["conditions"][kind][NOISE_DB]["drop"][metric]
    return found["value"], percent(found)


def _singing(sections: Sections) -> Iterator[Promise]:
    def difference(facts: Any) -> tuple[float, str]:
        found = facts["ours_minus_shuffled"]
        renders = facts["segments"] * facts["seeds"]
        return found["low"], f"{shown(found, sign=True)}, n = {facts['segments']} segments, {renders} renders"

    yield judged(
        sections,
        "singing",
        "real singing: consonance with its result above that with others'",
        "interval above 0",
        difference,
        lambda low: low > 0,
    )


def _takes(sections: Sections) -> Iterator[Promise]:
    yield judged(
        sections,
        "takes",
        "the take with the best fit of 4 is ahead of one take (mean of the metrics)",
        "> 0",
        lambda facts: (
            facts["best_minus_one_all"]["value"],
            shown(facts["best_minus_one_all"], 3, sign=True),
        ),
        lambda value: value > 0,
    )


def _steps(sections: Sections) -> Iterator[Promise]:
    def own(facts: Any) -> tuple[float, str]:
        (row,) = (r for r in facts["rows"] if r["name"] == "shipped" and r["steps"] == facts["shipped_steps"])
        return row["evaluations"], f"{row['evaluations']} ({row['steps']} steps)"

    yield judged(
        sections,
        "steps",
        "evaluations of the denoiser a window, guidance included",
        f"<= {MAX_FORWARD_PASSES}",
        own,
        lambda value: value <= MAX_FORWARD_PASSES,
    )


def _negated(found: Fact, places: int) -> tuple[float | None, str]:
    """A difference as a loss, with its text."""
    if found["value"] is None:
        return None, NOT_MEASURED
    loss = {"value": -found["value"], "low": -found["high"], "high": -found["low"]}
    return loss["value"], shown(loss, places, sign=True)
