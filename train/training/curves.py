"""Loss curves: a CSV file that grows row by row, and a picture of it."""

from __future__ import annotations

import csv
from pathlib import Path


def append(path: Path, row: dict[str, float]) -> None:
    """Add a row; a figure that appears later in a run gets a new column."""
    rows = read(path)
    columns = list(dict.fromkeys([*(c for r in rows for c in r), *row]))
    if rows and set(row) <= set(rows[0]):
        with path.open("a", newline="") as file:
            csv.DictWriter(file, list(rows[0])).writerow({k: f"{v:.6g}" for k, v in row.items()})
        return
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for each in [*rows, row]:
            writer.writerow({k: f"{v:.6g}" for k, v in each.items()})


def read(path: Path) -> list[dict[str, float]]:
    """The rows so far; empty cells (figures not measured at every step) are NaN."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [{k: float(v) if v else float("nan") for k, v in row.items()} for row in csv.DictReader(file)]


def plot(path: Path, picture: Path) -> None:
    """Draw every figure of the CSV over the steps, with training and validation in one panel."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = read(path)
    names = [c for c in rows[0] if c not in ("step", "seconds")]
    panels = sorted({n.removeprefix("val_") for n in names})
    figure, axes = plt.subplots(len(panels), 1, figsize=(8, 2.2 * len(panels)), sharex=True, squeeze=False)
    for axis, panel in zip(axes[:, 0], panels, strict=True):
        for name in (panel, f"val_{panel}"):
            points = [(r["step"], r[name]) for r in rows if name in r and r[name] == r[name]]
            if points:
                axis.plot(*zip(*points, strict=True), label=name)
        axis.legend(fontsize=8)
        axis.grid(alpha=0.3)
    axes[-1, 0].set_xlabel("step")
    figure.tight_layout()
    figure.savefig(picture, dpi=90)
    plt.close(figure)
