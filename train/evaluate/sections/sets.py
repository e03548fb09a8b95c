"""Section: the song sets side by side, each judged as audio like the main table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from train.evaluate.evaluation import METRICS
from train.evaluate.sections.facts import number, shown, table
from train.evaluate.sections.gap import facts_of, of_the_ceiling
from train.evaluate.sections.pictures import bars
from train.evaluate.sections.section import Facts, Section
from train.evaluate.sections.setting import EvaluationSetting


def measure(setting: EvaluationSetting) -> Facts:
    found = {}
    for songs in setting.sets():
        pieces = setting.pieces_of(songs)
        judged = setting.judged(pieces, setting.renderer, chords=True)
        found[songs.name] = {"title": songs.title, "songs": len(pieces), **facts_of(judged)}
    return {"sets": found}


def describe(facts: Facts) -> str:
    header = (
        "set",
        "songs",
        *(name for m in METRICS for name in (m, "of the ceiling")),
        "chords",
        "shuffled",
    )
    rows = []
    for found in facts["sets"].values():
        gaps = [
            text
            for metric in METRICS
            for text in (
                f"**{shown(found['summary'][metric]['gap_closed'])}**",
                f"{number(of_the_ceiling(found, metric))} of {number(_ceiling(found, metric))}",
            )
        ]
        chords = found["chord_agreement"] or {}
        agreement = [shown(chords[k]) if k in chords else "–" for k in ("ours", "shuffled")]
        rows.append([found["title"], str(found["songs"]), *gaps, *agreement])
    refused = [
        f"- {piece}: {reason}"
        for found in facts["sets"].values()
        for piece, reason in found["failures"].items()
    ]
    parts = [
        "Kinds of music that training has not seen, judged as in the main table: gap closed, and its share "
        "of the ceiling, which is the written score played and judged. The first set is the main table; of "
        "the others, each song is of another work. Chords: agreement with the played written score. In four "
        "parts the lower voices avoid the tune, so that consonance says little there.",
        table(header, rows),
    ]
    if refused:
        parts.append("\n".join(["Not rendered, scored as silence:", "", *refused]))
    return "\n\n".join(parts)


def _ceiling(found: dict[str, Any], metric: str) -> float | None:
    value: float | None = found["summary"][metric]["ceiling"]["value"]
    return value


def draw(facts: Facts, file: Path) -> None:
    bars(
        {
            found["title"]: {metric: found["summary"][metric]["gap_closed"] for metric in METRICS}
            for found in facts["sets"].values()
        },
        file,
    )


SETS_SECTION = Section("sets", "Song sets", measure, describe, draw, needs=("others",))
