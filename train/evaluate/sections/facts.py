"""Formats estimates as JSON and as text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from train.evaluate.evaluation import METRICS, Evaluation
from train.evaluate.measures.gap import Estimate

Fact = dict[str, Any]
"""An estimate: ``value``, ``low``, ``high`` (None if undefined) and ``n``."""


def fact(estimate: Estimate) -> Fact:
    """An estimate for JSON."""
    cleaned: Fact = without_nan(asdict(estimate))  # type: ignore[assignment]
    return cleaned


def number(value: float | None, places: int = 2, sign: bool = False) -> str:
    """A number as text; a dash for None."""
    return "–" if value is None else f"{value:{'+' if sign else ''}.{places}f}"


def shown(found: Fact, places: int = 2, sign: bool = False) -> str:
    """The estimate as ``value [low, high]``."""
    value, low, high = (number(found[k], places, sign) for k in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def percent(found: Fact) -> str:
    """The estimate in percent, as ``+5 % [+1, +9]``."""
    value, low, high = (None if found[k] is None else 100 * found[k] for k in ("value", "low", "high"))
    return f"{number(value, 0, True)} % [{number(low, 0, True)}, {number(high, 0, True)}]"


def gaps(evaluation: Evaluation) -> dict[str, Fact]:
    """Gap closed by metric."""
    return {metric: fact(evaluation.gap_closed(metric)) for metric in METRICS}


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [" | ".join(header), "|".join(["---"] * len(header)), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {line} |" if k != 1 else f"|{line}|" for k, line in enumerate(lines))


def without_nan(value: object) -> object:
    """``value`` with NaN and infinity replaced by None at any depth, because JSON has neither."""
    if isinstance(value, dict):
        return {k: without_nan(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
