"""Draws the results as PNG files if matplotlib is installed; pictures without data are left out."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.tables import flops_of, roof_rate

Found = Mapping[str, Any]


def draw(found: Found, folder: Path, short_s: float) -> list[str]:
    """Draw into ``folder``; returns the files' names, none without matplotlib."""
    try:
        import matplotlib
    except ImportError:
        return []
    matplotlib.use("Agg")
    drawn = []
    for name, picture in (("masks", _masks), ("lengths", _lengths), ("roofline", _roofline)):
        figure = picture(found, short_s)
        if figure is not None:
            figure.savefig(folder / f"{name}.png", dpi=110, bbox_inches="tight")
            drawn.append(f"{name}.png")
    return drawn


def _axes(title: str, width: float = 7.0) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 3.6))
    axes = figure.subplots()
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _masks(found: Found, short_s: float) -> Any:
    """Real-time factor of the whole job by mask, INT8 beside FP32."""
    seconds: dict[str, dict[str, float]] = {}
    for job in found["jobs"].values():
        if (job["audio_s"], job["takes"], job["cores"]) == (short_s, 1, 0):
            seconds.setdefault(job["precision"], {})[job["mask"]] = statistics.median(job["wall_s"])
    if not seconds:
        return None
    figure, axes = _axes(f"Whole job, {short_s:g} s of vocal (lower is better)")
    names = list(next(iter(seconds.values())))
    for number, (precision, by_mask) in enumerate(seconds.items()):
        places = [i + 0.4 * number for i in range(len(names))]
        axes.bar(places, [by_mask.get(name, 0.0) / short_s for name in names], 0.38, label=precision)
    axes.set_xticks([i + 0.2 for i in range(len(names))], names, rotation=15)
    axes.set_ylabel("real-time factor")
    axes.legend(frameon=False)
    return figure


def _lengths(found: Found, short_s: float) -> Any:
    """Seconds and peak memory against the vocal's length."""
    by_mask: dict[str, list[tuple[float, float, float]]] = {}
    for job in found["jobs"].values():
        if (job["precision"], job["takes"], job["cores"]) == ("INT8", 1, 0):
            point = (job["audio_s"], statistics.median(job["wall_s"]), max(job["peak_bytes"]) / 2**20)
            by_mask.setdefault(job["mask"], []).append(point)
    lines = {mask: sorted(points) for mask, points in by_mask.items() if len(points) > 1}
    if not lines:
        return None
    figure, axes = _axes("How cost grows with length")
    memory = axes.twinx()
    for mask, points in lines.items():
        lengths, seconds, mebibytes = zip(*points, strict=True)
        axes.loglog(lengths, seconds, marker="o", label=f"{mask}: seconds")
        memory.semilogx(lengths, mebibytes, marker=".", linestyle=":", color="gray")
    axes.set_xlabel("vocal, s")
    axes.set_ylabel("wall, s")
    memory.set_ylabel("peak memory, MiB (dotted)")
    memory.set_ylim(0)
    axes.legend(frameon=False)
    return figure


def _roofline(found: Found, short_s: float) -> Any:
    """Rate of every graph relative to the roofline."""
    if not found["graphs"]:
        return None
    figure, axes = _axes("INT8 graphs: share of the best INT8 convolution's rate (1 is the roof)", 9.0)
    masks = list(found["graphs"])
    names = list(found["graphs"][masks[0]]["packs"]["INT8"]["seconds"])
    width = 0.8 / len(masks)
    for number, mask in enumerate(masks):
        measured = found["graphs"][mask]
        seconds = measured["packs"]["INT8"]["seconds"]
        shares = [
            flops_of(found, name) / statistics.median(seconds[name]) / 1e9 / roof_rate(measured)
            for name in names
        ]
        axes.bar([i + width * number for i in range(len(names))], shares, width, label=mask)
    axes.set_xticks([i + 0.4 for i in range(len(names))], names, rotation=15)
    axes.legend(frameon=False, fontsize=8)
    return figure
