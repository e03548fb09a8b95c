"""Draws the report's pictures: bars with intervals, and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from train.evaluate.evaluation import METRICS
from train.evaluate.sections.facts import Fact

COLOURS = {"harmony": "tab:blue", "consonance": "tab:orange", "rhythm": "tab:green"}


def new_figure(
    rows: int, columns: int, size: tuple[float, float], widths: tuple[int, ...] | None = None
) -> Any:
    """A matplotlib figure that needs no display, and its axes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot.subplots(rows, columns, figsize=size, width_ratios=widths)


def save(figure: Any, file: Path) -> None:
    """Write a figure as PNG and close it."""
    from matplotlib import pyplot

    figure.tight_layout()
    figure.savefig(file, dpi=110)
    pyplot.close(figure)


def errors(facts: Sequence[Fact]) -> tuple[list[float], Any]:
    """Values and intervals in matplotlib's form; undefined ones become NaN, which is not drawn."""
    values = [np.nan if f["value"] is None else f["value"] for f in facts]
    low = [np.nan if f["low"] is None else f["value"] - f["low"] for f in facts]
    high = [np.nan if f["high"] is None else f["high"] - f["value"] for f in facts]
    return values, np.maximum([low, high], 0.0)


def bars(groups: Mapping[str, Mapping[str, Fact]], file: Path) -> None:
    """Draw gap closed by group (such as style), with one bar per metric."""
    figure, axes = new_figure(1, 1, (max(5.0, 1.2 * len(groups)), 3.6))
    for k, metric in enumerate(METRICS):
        values, spread = errors([found[metric] for found in groups.values()])
        place = np.arange(len(groups)) + 0.27 * (k - 1)
        axes.bar(place, values, 0.25, yerr=spread, capsize=2, label=metric, color=COLOURS[metric])
    axes.axhline(1.0, color="black", linewidth=0.6)
    axes.set_xticks(np.arange(len(groups)), list(groups))
    axes.set_ylabel("gap closed (0 shuffled, 1 true)")
    axes.legend(fontsize=8)
    save(figure, file)


def curves(
    panels: Mapping[str, Mapping[str, Mapping[str, Fact]]], x_label: str, y_label: str, file: Path
) -> None:
    """Draw one panel per metric, one line per group (such as a noise) and one point per condition.

    ``panels[metric][group][x]`` is the value; conditions keep their order.
    """
    figure, all_axes = new_figure(1, len(panels), (4.0 * len(panels), 3.6))
    for axes, (metric, groups) in zip(all_axes, panels.items(), strict=True):
        for k, (group, points) in enumerate(groups.items()):
            values, spread = errors(list(points.values()))
            place = np.arange(len(points)) + 0.05 * k
            axes.errorbar(place, values, yerr=spread, fmt="o-", markersize=4, capsize=2, label=group)
        axes.set_xticks(np.arange(len(points)), list(points))
        axes.set_title(metric, fontsize=10)
        axes.set_xlabel(x_label)
    all_axes[0].set_ylabel(y_label)
    if any(len(groups) > 1 for groups in panels.values()):
        all_axes[-1].legend(fontsize=8)
    save(figure, file)
