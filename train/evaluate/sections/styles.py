"""Section: all styles on the same songs, judged by their notes, because drums would confuse a transcriber."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from train.evaluate.evaluation import METRICS
from train.evaluate.judges.hearing import Heard
from train.evaluate.measures.metrics import pitch_class_vectors
from train.evaluate.sections.facts import gaps, shown, table
from train.evaluate.sections.pictures import bars
from train.evaluate.sections.section import Facts, Section
from train.evaluate.sections.setting import SHORT_S, EvaluationSetting

SHARE = 3
"""Uses every third song of the main table."""


def measure(setting: EvaluationSetting) -> Facts:
    pieces = setting.pieces(SHARE, SHORT_S)
    styles = {}
    renderers = {s: replace(setting.renderer, style=s, sound=False) for s in setting.manifest().styles}
    setting.prepare([(piece, r) for r in renderers.values() for piece in pieces], "styles")
    for style, renderer in renderers.items():
        evaluation = setting.judged(pieces, renderer)
        heard = [h for piece in pieces if (h := setting.heard(piece.vocal, renderer)) is not None]
        styles[style] = {**gaps(evaluation), "notes": statistics(heard)}
    return {"songs": len(pieces), "seconds": SHORT_S, "styles": styles}


def statistics(results: list[Heard]) -> Facts:
    """Means over results: notes and drum strokes per second, simultaneous voices, median note length in
    seconds, and share of half seconds with sound."""
    rows = []
    for heard in results:
        lengths = [note.end_s - note.start_s for note in heard.notes]
        sounding = pitch_class_vectors(heard.notes, heard.duration_s).any(axis=1).mean()
        rows.append(
            (
                len(lengths) / heard.duration_s,
                len(heard.drums_s) / heard.duration_s,
                sum(lengths) / heard.duration_s,
                float(np.median(lengths)) if lengths else 0.0,
                float(sounding),
            )
        )
    means = np.mean(rows, axis=0) if rows else np.zeros(5)
    names = ("notes_per_s", "drums_per_s", "voices", "note_s", "sounds")
    return {name: round(float(value), 3) for name, value in zip(names, means, strict=True)}


def describe(facts: Facts) -> str:
    rows = []
    for style, found in facts["styles"].items():
        notes = found["notes"]
        figures = (f"{notes[k]:.1f}" for k in ("notes_per_s", "drums_per_s", "voices"))
        shape = (f"{notes['note_s']:.2f}", f"{100 * notes['sounds']:.0f} %")
        rows.append([style, *(shown(found[m]) for m in METRICS), *figures, *shape])
    header = ("style", *METRICS, "notes per second", "drums per second", "voices", "note, s", "sounds")
    return (
        f"{facts['songs']} songs of {facts['seconds']:g} s, judged by their notes without drums, against the "
        "written piano part. Another style may follow its harmony but has its own rhythms, so rhythm "
        "compares with the song's grid.\n\n" + table(header, rows)
    )


def draw(facts: Facts, file: Path) -> None:
    bars({style: {m: found[m] for m in METRICS} for style, found in facts["styles"].items()}, file)


STYLES_SECTION = Section("styles", "Styles", measure, describe, draw)
