"""Section: whether the take with the best fit is better than an average one, and whether takes differ.

Takes are composed and scored for fit as in a render, including the retry of a take that fits badly. ``one``
is the mean over all takes, which is the expected result of asking for one take.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from appliance.composing.takes import RETRY_SEED_STEP, compose_takes
from appliance.composing.wishes import Wishes
from appliance.files.hashes import file_sha256
from train.evaluate.evaluation import METRICS, Evaluation, compare, evaluation_of, pitched
from train.evaluate.judges.hearing import Heard
from train.evaluate.judges.note_judge import HeardNote
from train.evaluate.material.pieces import Piece
from train.evaluate.measures.gap import Estimate, mean
from train.evaluate.players.renderers import PackRenderer, engine_of, read_vocal
from train.evaluate.processes.store import Refused
from train.evaluate.processes.workers import ask_all
from train.evaluate.sections.differing import DIFFERING, against, describe_differing, differing, likeness
from train.evaluate.sections.facts import fact, gaps, shown, table
from train.evaluate.sections.section import Facts, Section
from train.evaluate.sections.setting import SHORT_S, EvaluationSetting

TAKES = 4

Drawn = list[dict[str, Any]]
"""The takes of a vocal in the order of their seeds, each with ``fit`` and ``heard``."""


def measure(setting: EvaluationSetting) -> Facts:
    if setting.manifest().graphs.fit is None:
        return {"missing": "this pack has no fit score"}
    pieces = setting.pieces(1, SHORT_S)
    taken = _taken(setting, setting.renderer, pieces)
    if setting.baseline is None or setting.manifest(setting.baseline).graphs.fit is None:
        kept = [k for k, takes in enumerate(taken) if takes]
        return compared([pieces[k] for k in kept], [taken[k] for k in kept])
    other = _taken(setting, replace(setting.renderer, pack=setting.baseline), pieces)
    kept = [k for k in range(len(pieces)) if taken[k] and other[k]]
    chosen, ours = [pieces[k] for k in kept], [taken[k] for k in kept]
    manifest = setting.manifest(setting.baseline)
    theirs = against(chosen, ours, f"{manifest.name} {manifest.version}", [other[k] for k in kept])
    return {**compared(chosen, ours), "baseline": theirs}


def _taken(setting: EvaluationSetting, renderer: PackRenderer, pieces: Sequence[Piece]) -> list[Drawn]:
    jobs = [(setting, renderer, piece.vocal) for piece in pieces]
    ask_all(_takes, jobs, f"{TAKES} takes", lambda job: job[2].stem, setting.workers)
    return [_takes(job) for job in jobs]


def compared(pieces: Sequence[Piece], taken: Sequence[Sequence[dict[str, Any]]]) -> Facts:
    """The facts, from each piece's takes (``fit`` and ``heard``) in the order of their seeds."""
    written = [Heard(p.duration_s, pitched(p.written.notes), ()) for p in pieces]

    def judged(label: str, chosen: Sequence[int]) -> Evaluation:
        results = [takes[k]["heard"] for takes, k in zip(taken, chosen, strict=True)]
        return evaluation_of(label, pieces, results, written, False, {})

    best = judged("best", [int(np.argmax([take["fit"] for take in takes])) for takes in taken])
    each = [judged(f"take {k}", [k] * len(pieces)) for k in range(TAKES)]
    one, first = averaged(each), each[0]
    fits = [[take["fit"] for take in takes] for takes in taken]
    return {
        "songs": len(pieces),
        "takes": TAKES,
        "best": gaps(best),
        "one": gaps(one),
        "best_minus_one": {metric: fact(compare(best, one, metric)) for metric in METRICS},
        "best_minus_one_all": fact(together(best, one)),
        "best_minus_first_all": fact(together(best, first)),
        "fit_of_best": fact(mean([max(row) for row in fits])),
        "fit_of_one": fact(mean([float(np.mean(row)) for row in fits])),
        **likeness(pieces, taken),
        "differing": differing(pieces, taken),
    }


def averaged(evaluations: Sequence[Evaluation]) -> Evaluation:
    """The mean of several evaluations of the same pieces."""
    rows = [
        replace(
            same[0],
            ours=float(np.mean([row.ours for row in same])),
            shuffled=float(np.mean([row.shuffled for row in same])),
        )
        for same in zip(*(e.rows for e in evaluations), strict=True)
    ]
    return Evaluation("mean of takes", tuple(rows), evaluations[0].coverage)


def together(ours: Evaluation, other: Evaluation) -> Estimate:
    """Difference of gap closed, averaged over the metrics; the interval is over songs, for fixed gap
    widths."""
    parts: list[list[float]] = []
    for metric in METRICS:
        width = other.mean(metric, "true").value - other.mean(metric, "shuffled").value
        pairs = zip(ours.of(metric), other.of(metric), strict=True)
        if width > 0.0:  # otherwise the metric cannot separate true from shuffled
            parts.append([(a.ours - b.ours) / width for a, b in pairs])
    return mean(np.mean(parts, axis=0).tolist())


def _takes(job: tuple[EvaluationSetting, PackRenderer, Path]) -> Drawn:
    """Fit and notes of each take in the order of their seeds; empty if the vocal was rejected."""
    setting, renderer, vocal = job
    question = {"takes": TAKES, "label": renderer.label, "vocal": file_sha256(vocal)}
    try:
        answer = setting.hearing.store.get(question, lambda: _drawn(renderer, vocal))
    except Refused:
        return []
    return [
        {
            "fit": take["fit"],
            "heard": Heard(take["duration_s"], tuple(HeardNote(*note) for note in take["notes"]), ()),
        }
        for take in answer
    ]


def _drawn(renderer: PackRenderer, vocal: Path) -> list[dict[str, Any]]:
    engine = engine_of(renderer.pack)
    reading = read_vocal(engine, vocal)
    wishes = Wishes(style=renderer.style, seed=renderer.seed, takes=TAKES)
    takes = compose_takes(engine.graphs, engine.pack, reading, wishes)
    return [
        {
            "fit": None if take.fit is None else take.fit.value,
            "duration_s": reading.duration_s,
            "notes": [(n.start_s, n.end_s, n.pitch, n.velocity / 127) for n in pitched(take.score.notes)],
        }
        # A retry has another seed, but takes the place of its first try.
        for take in sorted(takes, key=lambda take: take.seed % RETRY_SEED_STEP)
    ]


def describe(facts: Facts) -> str:
    if "missing" in facts:
        return f"Not measured: {facts['missing']}."
    rows = [
        [
            metric,
            shown(facts["best"][metric]),
            shown(facts["one"][metric]),
            shown(facts["best_minus_one"][metric], 3, sign=True),
        ]
        for metric in METRICS
    ]
    return (
        f"{facts['songs']} songs, {facts['takes']} takes each, judged by their notes: the take with the best "
        "fit against the mean of all takes, with paired songs. Difference over the three metrics: "
        f"**{shown(facts['best_minus_one_all'], 3, sign=True)}**; against the first take: "
        f"{shown(facts['best_minus_first_all'], 3, sign=True)}. Fit of the best take "
        f"{shown(facts['fit_of_best'])}, of one take {shown(facts['fit_of_one'])}.\n\n"
        + table(("metric", f"best of {facts['takes']}", "one take", "difference"), rows)
        + _told_likeness(facts)
    )


def _told_likeness(facts: Facts) -> str:
    if "differing" in facts:
        return "\n\n" + describe_differing(facts["differing"], facts.get("baseline"))
    if "harmony_alike" not in facts:  # facts of an earlier version
        return ""
    return (
        f"\n\nThe first {DIFFERING} takes of a song are alike by {shown(facts['harmony_alike'])} in harmony "
        f"(cosine of half-second pitch classes) and by {shown(facts['onsets_alike'])} in rhythm (F-measure "
        "of onsets within 50 ms); 1 is the same music."
    )


TAKES_SECTION = Section("takes", "Takes", measure, describe, asks=("baseline",))
