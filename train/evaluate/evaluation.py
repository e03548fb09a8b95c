"""Judges a renderer on a list of pieces: gap closed, scores of each piece, failed renders.

It takes any renderer (a pack, the same pack in FP32, one without its plan, one with noisy vocals), so all
comparisons use the same code and the same pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.score import DRUM_GROUP, Note, Score
from train.corpus.timeline import Sounding
from train.data.rhythm import rhythm
from train.evaluate.judges.chord_judge import chord_agreement
from train.evaluate.judges.hearing import Heard, Hearing, Render
from train.evaluate.material.pieces import Piece
from train.evaluate.measures.gap import Estimate, difference_of, gap_closed, gap_of, mean, shuffled_mean
from train.evaluate.measures.metrics import consonance, coverage, harmony
from train.evaluate.processes.store import Refused
from train.evaluate.processes.workers import ask_all

METRICS = ("harmony", "consonance", "rhythm")
CHORDS = "chords"

PlayWritten = Callable[[Score], NDArray[np.float32]]
"""Plays the written part: score -> samples (N, 2) at 44.1 kHz."""


@dataclass(frozen=True, slots=True)
class Row:
    """Scores of one piece by one metric: the result, the two anchors, and the written part as judged."""

    piece: str
    metric: str
    ours: float
    shuffled: float
    true: float
    ceiling: float
    ceiling_shuffled: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All scores of one renderer, named by ``label``."""

    label: str
    rows: tuple[Row, ...]
    coverage: dict[str, float]
    """By piece, the share of windows with written notes in which the result sounds."""
    failures: dict[str, str] = field(default_factory=dict)
    """Reasons, by piece, of failed renders, which are scored as silence."""

    def of(self, metric: str) -> tuple[Row, ...]:
        """The rows of one metric, in the order of the pieces."""
        return tuple(row for row in self.rows if row.metric == metric)

    def gap_closed(self, metric: str) -> Estimate:
        """Gap closed by the renderer, with 95 % bootstrap interval over pieces."""
        return gap_of(self.of(metric))

    def ceiling(self, metric: str) -> Estimate:
        """Gap closed by the written accompaniment, played and judged the same way."""
        rows = self.of(metric)
        return gap_closed(
            [r.ceiling for r in rows], [r.ceiling_shuffled for r in rows], [r.true for r in rows]
        )

    def mean(self, metric: str, column: str) -> Estimate:
        """Mean of a :class:`Row` column (``ours``, ``shuffled``, ``true``, ``ceiling``)."""
        return mean([getattr(row, column) for row in self.of(metric)])


def compare(ours: Evaluation, baseline: Evaluation, metric: str) -> Estimate:
    """Gap closed by ``ours`` minus ``baseline``, on their common pieces and with the baseline's anchors."""
    by_piece = ({row.piece: row for row in judged.of(metric)} for judged in (ours, baseline))
    return difference_of(*by_piece)


def evaluate(
    pieces: Sequence[Piece],
    render: Render,
    play_written: PlayWritten | None,
    hearing: Hearing,
    *,
    label: str,
    chords: bool = True,
    played_by: str = "band",
    workers: int = 1,
) -> Evaluation:
    """Render and judge every piece; stored answers of ``hearing`` are reused.

    Args:
        pieces: what to judge.
        render: writes a result for a vocal; with more than one worker it must be picklable.
        play_written: plays the written part. If None, its notes are judged directly.
        hearing: the judges and their store.
        label: identifies renderer and settings (pack hash, seed, takes); another label renders again.
        chords: whether to judge chords too.
        played_by: identifies band and soundfont of the written part, as ``label`` does for the renderer.
        workers: number of processes.

    Returns:
        The evaluation. A piece whose render raises :class:`~appliance.errors.BacklineError` is scored as
        silence and listed under ``failures``.
    """

    def known(piece: Piece) -> bool:
        return hearing.knows_result(piece.vocal, label, chords) and (
            play_written is None or hearing.knows_audio(_written_name(piece, played_by), chords)
        )

    ask = partial(_ask, render, play_written, hearing, label, chords, played_by)
    missing = [piece for piece in pieces if not known(piece)]
    ask_all(ask, missing, f"judging {label}", lambda piece: piece.id, workers)
    results, failures = [], {}
    for piece in pieces:
        try:
            results.append(hearing.result(piece.vocal, render, label, chords))
        except Refused as refused:
            failures[piece.id] = str(refused)
            results.append(Heard(piece.duration_s, (), ()))
    written = [_written(piece, play_written, hearing, chords, played_by) for piece in pieces]
    return evaluation_of(label, pieces, results, written, chords, failures)


def evaluation_of(
    label: str,
    pieces: Sequence[Piece],
    results: Sequence[Heard],
    written: Sequence[Heard],
    chords: bool,
    failures: dict[str, str],
) -> Evaluation:
    """Compute the scores from what was heard of each piece's result and of its written part."""
    rows = tuple(_rows(pieces, results, written, chords))
    return Evaluation(label, rows, _covered(pieces, results), failures)


def _ask(
    render: Render,
    play_written: PlayWritten | None,
    hearing: Hearing,
    label: str,
    chords: bool,
    played_by: str,
    piece: Piece,
) -> None:
    """Judge a piece and its written part, so that the answers are in the store."""
    _written(piece, play_written, hearing, chords, played_by)
    try:
        hearing.result(piece.vocal, render, label, chords)
    except Refused:
        return  # the refusal is stored too


def _written(
    piece: Piece, play_written: PlayWritten | None, hearing: Hearing, chords: bool, played_by: str
) -> Heard:
    """The written part as the judges hear it."""
    if play_written is None:
        return Heard(piece.duration_s, pitched(piece.written.notes), ())

    def write(file: Path) -> None:
        soundfile.write(file, play_written(piece.written), SAMPLE_RATE_HZ, subtype="PCM_24")

    return hearing.audio(_written_name(piece, played_by), write, chords)


def _written_name(piece: Piece, played_by: str) -> str:
    """Name of everything that decides the sound of the written part, for the store."""
    return f"{played_by} plays {sha256(repr(piece.written).encode()).hexdigest()}"


def _covered(pieces: Sequence[Piece], results: Sequence[Heard]) -> dict[str, float]:
    return {
        p.id: coverage(r.notes, pitched(p.written.notes), p.duration_s)
        for p, r in zip(pieces, results, strict=True)
    }


def _rows(
    pieces: Sequence[Piece], results: Sequence[Heard], written: Sequence[Heard], chords: bool
) -> list[Row]:
    rows = []
    scores: dict[str, Callable[[int, Heard], float]] = {
        metric: lambda k, heard, metric=metric: score(metric, pieces[k], heard)  # type: ignore[misc]
        for metric in METRICS
    }
    if chords:
        scores[CHORDS] = lambda k, heard: chord_agreement(
            heard.chords, written[k].chords, min(pieces[k].duration_s, heard.duration_s)
        )
    for metric, judge in scores.items():
        shuffled, ceiling_shuffled = shuffled_mean(results, judge), shuffled_mean(written, judge)
        for k, piece in enumerate(pieces):
            as_written = Heard(piece.duration_s, pitched(piece.written.notes), written[k].chords)
            rows.append(
                Row(
                    piece.id,
                    metric,
                    judge(k, results[k]),
                    shuffled[k],
                    judge(k, as_written),
                    judge(k, written[k]),
                    ceiling_shuffled[k],
                )
            )
    return rows


def score(metric: str, piece: Piece, heard: Heard) -> float:
    """Score of what is heard by one of :data:`METRICS`, over the shorter of result and piece.

    Raises:
        ValueError: the metric is unknown.
    """
    duration_s = min(piece.duration_s, heard.duration_s)
    notes = _before(heard.notes, duration_s)
    if metric == "harmony":
        return harmony(notes, pitched(piece.written.notes), duration_s)
    if metric == "consonance":
        return consonance(_before(piece.sung, duration_s), notes)
    if metric == "rhythm":
        return rhythm([note.start_s for note in notes], piece.bars_s)
    raise ValueError(f"unknown metric {metric!r}; choose one of {', '.join(METRICS)}")


def pitched(notes: Sequence[Note]) -> tuple[Note, ...]:
    """The notes without drums."""
    return tuple(note for note in notes if note.group != DRUM_GROUP)


@dataclass(frozen=True, slots=True)
class _Cut:
    start_s: float
    end_s: float
    pitch: int


def _before(notes: Sequence[Sounding], duration_s: float) -> list[Sounding]:
    """The notes that start before ``duration_s``, cut there."""
    return [_Cut(n.start_s, min(n.end_s, duration_s), n.pitch) for n in notes if n.start_s < duration_s]
