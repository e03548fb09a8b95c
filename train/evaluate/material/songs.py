"""Corpus songs for evaluation, sung by our singer and cut to excerpts; and the band for written parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.music.score import Score
from train.band import render as play
from train.corpus.ledger import LedgerRow, sung_rows
from train.corpus.reader import read_song
from train.evaluate.material.pieces import LENGTH_S, Piece, cut_piece
from train.evaluate.processes.workers import ask_all
from train.singer.render import render_songs

SINGER_SEED = 11


def chosen_rows(corpus: Path, split: str, count: int) -> list[LedgerRow]:
    """``count`` rows of a split, or all if it has fewer, spread evenly over the ledger."""
    return evenly([row for row in sung_rows(corpus) if row.split == split], count)


def evenly(rows: Sequence[LedgerRow], count: int) -> list[LedgerRow]:
    """``count`` of the rows, spread evenly; all if there are fewer."""
    if count >= len(rows):
        return list(rows)
    return [rows[k * len(rows) // count] for k in range(count)]


def sung_pieces(
    corpus: Path, rows: Sequence[LedgerRow], folder: Path, workers: int, length_s: float = LENGTH_S
) -> list[Piece]:
    """The songs of ``rows``, sung and cut to excerpts, under ``folder``.

    Songs of the test split are sung by held-out voices, others by voices of training. Each song of a split
    has its own seed, so its singer does not depend on the choice of songs.
    """
    place = {row.id: k for k, row in enumerate(r for r in sung_rows(corpus) if r.split == rows[0].split)}
    seeds = [SINGER_SEED + place[row.id] for row in rows]
    sing = partial(_sing, corpus, folder / "sung")
    ask_all(sing, list(zip(rows, seeds, strict=True)), "singing", lambda job: job[0].id, workers)
    pieces = []
    for row, seed in zip(rows, seeds, strict=True):
        vocal = folder / "sung" / f"{row.id}-{seed}.flac"
        pieces.append(cut_piece(read_song(corpus, row), vocal, folder / f"vocals-{length_s:g}s", length_s))
    return pieces


def _sing(corpus: Path, folder: Path, job: tuple[LedgerRow, int]) -> None:
    row, seed = job
    if not (folder / f"{row.id}-{seed}.flac").is_file():
        render_songs([read_song(corpus, row)], folder, [seed])


@dataclass(frozen=True, slots=True)
class WrittenBand:
    """Plays a written piano part with the pack's band, as a
    :data:`~train.evaluate.evaluation.PlayWritten`."""

    soundfont: Path

    def __call__(self, score: Score) -> NDArray[np.float32]:
        """Stereo samples (N, 2) at 44.1 kHz."""
        return play(score, "piano", self.soundfont)
