"""How much the takes of one vocal differ, and what that costs: part of the section on takes.

The first take has seed 0, which plays the likeliest; further ones draw what they play. Users get the take
with the best fit first, so the cost is the gap closed that the best of three loses against the first alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from train.evaluate.evaluation import METRICS, Evaluation, evaluation_of, pitched
from train.evaluate.judges.hearing import Heard
from train.evaluate.material.pieces import Piece
from train.evaluate.measures.gap import Estimate, gap_closed, mean
from train.evaluate.measures.likeness import among, harmony_alike, onsets_alike
from train.evaluate.sections.facts import fact, gaps, percent, shown, table
from train.evaluate.sections.section import Facts

DIFFERING = 3
"""Takes that are compared with each other, the first ones."""

Takes = Sequence[Sequence[dict[str, Any]]]
"""For each piece its takes, with ``fit`` and ``heard``, in the order of their seeds."""


def likeness(pieces: Sequence[Piece], taken: Takes) -> Facts:
    """How alike the first takes are, in harmony and in onsets."""
    notes = [[take["heard"].notes for take in takes[:DIFFERING]] for takes in taken]
    harmony = [
        among(takes, lambda one, other, d=piece.duration_s: harmony_alike(one, other, d))  # type: ignore[misc]
        for piece, takes in zip(pieces, notes, strict=True)
    ]
    onsets = [among(takes, onsets_alike) for takes in notes]
    return {"harmony_alike": fact(mean(harmony)), "onsets_alike": fact(mean(onsets))}


def differing(pieces: Sequence[Piece], taken: Takes) -> Facts:
    """Likeness of the first takes, gap closed by the best of them and by the first, and what is lost."""
    best, first = best_and_first(pieces, taken)
    return {
        **likeness(pieces, taken),
        "songs": len(pieces),
        "best": gaps(best),
        "first": gaps(first),
        "lost": {metric: fact(lost(best, first, metric)) for metric in METRICS},
        "lost_all": fact(lost_altogether(best, first)),
    }


def best_and_first(pieces: Sequence[Piece], taken: Takes) -> tuple[Evaluation, Evaluation]:
    """The take with the best fit of the first ones, and the first take, judged by their notes."""
    written = [Heard(p.duration_s, pitched(p.written.notes), ()) for p in pieces]

    def judged(label: str, chosen: Sequence[int]) -> Evaluation:
        results = [takes[k]["heard"] for takes, k in zip(taken, chosen, strict=True)]
        return evaluation_of(label, pieces, results, written, False, {})

    fits = [[take["fit"] for take in takes[:DIFFERING]] for takes in taken]
    return judged("best", [int(np.argmax(row)) for row in fits]), judged("first", [0] * len(pieces))


def lost(ours: Evaluation, other: Evaluation, metric: str) -> Estimate:
    """The share of the gap closed by ``other`` that ``ours`` lacks, with paired songs; negative: gained.

    It is (other - ours) / (other - shuffled) of the means over songs, with the anchors of ``other``.
    """
    theirs = {row.piece: row for row in other.of(metric)}
    pairs = [(row, theirs[row.piece]) for row in ours.of(metric)]
    kept = gap_closed([a.ours for a, _ in pairs], [b.shuffled for _, b in pairs], [b.ours for _, b in pairs])
    return Estimate(1.0 - kept.value, 1.0 - kept.high, 1.0 - kept.low, kept.n)


def lost_altogether(ours: Evaluation, other: Evaluation) -> Estimate:
    """The mean of :func:`lost` over the metrics; the interval is over songs, for fixed widths."""
    parts: list[list[float]] = []
    for metric in METRICS:
        width = other.mean(metric, "ours").value - other.mean(metric, "shuffled").value
        theirs = {row.piece: row for row in other.of(metric)}
        if width > 0.0:  # otherwise the other one closes no gap that could be lost
            parts.append([(theirs[row.piece].ours - row.ours) / width for row in ours.of(metric)])
    return mean(np.mean(parts, axis=0).tolist() if parts else [])


def against(pieces: Sequence[Piece], taken: Takes, pack: str, others: Takes) -> Facts:
    """The same figures of another pack on the same songs, and what our best take loses against its best."""
    best, _ = best_and_first(pieces, taken)
    their_best, _ = best_and_first(pieces, others)
    return {
        "pack": pack,
        **differing(pieces, others),
        "our_loss": {metric: fact(lost(best, their_best, metric)) for metric in METRICS},
        "our_loss_all": fact(lost_altogether(best, their_best)),
    }


def describe_differing(ours: Facts, baseline: Facts | None) -> str:
    """Markdown: one column for this pack, and one for the other if there is one."""
    columns = [ours] if baseline is None else [ours, baseline]
    heads = ["this pack"] if baseline is None else ["this pack", f"`{baseline['pack']}`"]
    rows = [
        ["harmony in common", *(shown(c["harmony_alike"]) for c in columns)],
        ["onsets in common", *(shown(c["onsets_alike"]) for c in columns)],
        *([f"{m}: the best of them", *(shown(c["best"][m]) for c in columns)] for m in METRICS),
        *([f"{m}: the first", *(shown(c["first"][m]) for c in columns)] for m in METRICS),
        *([f"{m}: lost by the best", *(percent(c["lost"][m]) for c in columns)] for m in METRICS),
        ["lost on average", *(percent(c["lost_all"]) for c in columns)],
    ]
    text = (
        f"The first {DIFFERING} takes of a song at default settings. In common: cosine of half-second pitch "
        "classes, and F-measure of onsets within 50 ms; 1 is the same music. The first take plays the "
        "likeliest, the others draw; lost is the share of the first take's gap closed that the take with the "
        "best fit lacks (negative: gained).\n\n" + table((f"{ours['songs']} songs", *heads), rows)
    )
    if baseline is None:
        return text
    each = ", ".join(f"{metric} {percent(baseline['our_loss'][metric])}" for metric in METRICS)
    return (
        f"{text}\n\nAgainst the best take of `{baseline['pack']}`, the best of this pack loses {each}; on "
        f"average {percent(baseline['our_loss_all'])}."
    )
