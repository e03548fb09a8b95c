"""A renderer, judged on a list of pieces: gap closed, per-song rows, what could not be rendered.

Any renderer will do (a pack, the same pack in FP32, one with a part switched off, one given noise), so
that every comparison of this project is made by the same code on the same pieces.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from appliance.errors import BacklineError, OutputError
from appliance.score import DRUM_GROUP, SAMPLE_RATE_HZ, Note, Score
from train.evaluate.cache import Judgements, file_sha256
from train.evaluate.chord_judge import HeardChord, chord_agreement
from train.evaluate.gap import Estimate, gap_closed, gap_difference, mean, shuffled_mean
from train.evaluate.metrics import Sounding, consonance, coverage, harmony, rhythm
from train.evaluate.pieces import Piece
from train.evaluate.progress import steps

METRICS = ("harmony", "consonance", "rhythm")
CHORDS = "chords"

Render = Callable[[Path, Path], object]
"""Vocal file, folder -> writes ``NAME.accompaniment.wav`` somewhere in the folder (the runtime's job)."""

PlayWritten = Callable[[Score], NDArray[np.float32]]
"""Score -> (N, 2) samples at 44.1 kHz: the band playing the written part as it stands."""


@dataclass(frozen=True, slots=True)
class Row:
    """One piece and one metric: the result, the anchors, and the written part as the judge hears it."""

    piece: str
    metric: str
    ours: float
    shuffled: float
    true: float
    ceiling: float
    ceiling_shuffled: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All rows of one renderer, named by ``label``."""

    label: str
    rows: tuple[Row, ...]
    coverage: dict[str, float]
    """Share of a piece's written windows in which the result sounds, by piece."""
    failures: dict[str, str] = field(default_factory=dict)
    """Why a piece could not be rendered; it is scored as silence."""

    def of(self, metric: str) -> tuple[Row, ...]:
        """The rows of one metric, in the order of the pieces."""
        return tuple(row for row in self.rows if row.metric == metric)

    def gap_closed(self, metric: str) -> Estimate:
        """Gap closed by the renderer, 95 % bootstrap interval over pieces."""
        rows = self.of(metric)
        return gap_closed([r.ours for r in rows], [r.shuffled for r in rows], [r.true for r in rows])

    def ceiling(self, metric: str) -> Estimate:
        """Gap closed by the written accompaniment itself, rendered and judged the same way."""
        rows = self.of(metric)
        return gap_closed(
            [r.ceiling for r in rows], [r.ceiling_shuffled for r in rows], [r.true for r in rows]
        )

    def mean(self, metric: str, column: str) -> Estimate:
        """Mean of a :class:`Row` column (``ours``, ``shuffled``, ``true``, ``ceiling``)."""
        return mean([getattr(row, column) for row in self.of(metric)])


def compare(ours: Evaluation, baseline: Evaluation, metric: str) -> Estimate:
    """Gap closed by ``ours`` minus by ``baseline``, on the pieces both have and the baseline's anchors."""
    theirs = {row.piece: row for row in baseline.of(metric)}
    pairs = [(row, theirs[row.piece]) for row in ours.of(metric) if row.piece in theirs]
    return gap_difference(
        [a.ours for a, _ in pairs],
        [b.ours for _, b in pairs],
        [b.shuffled for _, b in pairs],
        [b.true for _, b in pairs],
    )


def evaluate(
    pieces: Sequence[Piece],
    render: Render,
    play_written: PlayWritten,
    out_dir: Path,
    *,
    label: str,
    judgements: Judgements | None = None,
    chords: bool = True,
    played_by: str = "band",
) -> Evaluation:
    """Renders and judges every piece; what an earlier call has done under ``out_dir`` is not done again.

    ``label`` names renderer and settings (pack hash, seed, takes): a result made under another label is
    made anew, and ``played_by`` does the same for the band and its soundfont. A piece whose render raises
    :class:`~appliance.errors.BacklineError` is scored as silence and listed under ``failures``.
    ``judgements`` may be shared by several evaluations.
    """
    judgements = judgements or Judgements(out_dir / "judgements")
    results: list[Heard] = []
    written: list[Heard] = []
    failures: dict[str, str] = {}
    for piece in steps(pieces, f"judging {label}", lambda p: p.id):
        band = _play_once(piece, play_written, out_dir / "written" / f"{piece.id}.wav", played_by)
        written.append(_hear(piece, band, judgements, chords))
        try:
            audio = _render_once(piece, render, out_dir / "results" / piece.id, label)
            results.append(_hear(piece, audio, judgements, chords))
        except BacklineError as error:
            failures[piece.id] = str(error)
            results.append(Heard(piece.duration_s, (), ()))
    return Evaluation(
        label, tuple(_rows(pieces, results, written, chords)), _covered(pieces, results), failures
    )


@dataclass(frozen=True, slots=True)
class Heard:
    """What the judges hear in a recording of ``duration_s``."""

    duration_s: float
    notes: Sequence[Sounding]
    chords: tuple[HeardChord, ...]


def _hear(piece: Piece, audio: Path, judgements: Judgements, chords: bool) -> Heard:
    duration_s = soundfile.info(audio).duration
    return Heard(duration_s, judgements.notes(audio), judgements.chords(audio) if chords else ())


def _play_once(piece: Piece, play_written: PlayWritten, file: Path, played_by: str) -> Path:
    """The written part as audio; kept, and played again only if the file is gone or of another score."""
    proof = file.with_suffix(".json")
    wanted = {"band": played_by, "score_sha256": sha256(repr(piece.written).encode()).hexdigest()}
    if not (file.is_file() and proof.is_file() and json.loads(proof.read_text()) == wanted):
        file.parent.mkdir(parents=True, exist_ok=True)
        proof.unlink(missing_ok=True)
        soundfile.write(file, play_written(piece.written), SAMPLE_RATE_HZ, subtype="PCM_24")
        proof.write_text(json.dumps(wanted))
    return file


def _render_once(piece: Piece, render: Render, folder: Path, label: str) -> Path:
    """The result for a piece; rendered again only if label or vocal differ or the file is gone."""
    name = f"{piece.vocal.stem}.accompaniment.wav"
    proof = folder / "rendered.json"
    wanted = {"label": label, "vocal_sha256": file_sha256(piece.vocal)}
    found = sorted(folder.rglob(name))
    if not (found and proof.is_file() and json.loads(proof.read_text()) == wanted):
        folder.mkdir(parents=True, exist_ok=True)
        for stale in (proof, *found):
            stale.unlink(missing_ok=True)
        render(piece.vocal, folder)
        found = sorted(folder.rglob(name))
        if not found:
            raise OutputError(f"The renderer wrote no {name} under {folder}; see its own messages.")
        proof.write_text(json.dumps(wanted))
    return found[0]


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
    """One of :data:`METRICS` of what is heard beside a piece, over the shorter of the two."""
    duration_s = min(piece.duration_s, heard.duration_s)
    notes = _before(heard.notes, duration_s)
    if metric == "harmony":
        return harmony(notes, pitched(piece.written.notes), duration_s)
    if metric == "consonance":
        return consonance(_before(piece.sung, duration_s), notes)
    if metric == "rhythm":
        return rhythm([note.start_s for note in notes], piece.bars_s)
    raise ValueError(f"unknown metric {metric!r}; there are {', '.join(METRICS)}")


def pitched(notes: Sequence[Note]) -> tuple[Note, ...]:
    """The notes that have a pitch: drums left out."""
    return tuple(note for note in notes if note.group != DRUM_GROUP)


@dataclass(frozen=True, slots=True)
class _Cut:
    start_s: float
    end_s: float
    pitch: int


def _before(notes: Sequence[Sounding], duration_s: float) -> list[Sounding]:
    """The notes that start before ``duration_s``, ended there."""
    return [_Cut(n.start_s, min(n.end_s, duration_s), n.pitch) for n in notes if n.start_s < duration_s]
