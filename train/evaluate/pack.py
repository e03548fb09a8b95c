"""A pack judged on corpus songs: sung by our singer, rendered by the appliance, heard by the judges."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from appliance.composer import Wishes
from appliance.render import Engine, Request, render
from train.band import render as play
from train.corpus.ledger import LedgerRow, read_ledger
from train.corpus.reader import read_song
from train.evaluate.cache import Judgements
from train.evaluate.evaluate import Evaluation, evaluate
from train.evaluate.pieces import Piece, cut_piece
from train.evaluate.report import write_report
from train.singer.render import render_songs

SINGER_SEED = 11


def chosen_rows(corpus: Path, split: str, count: int) -> list[LedgerRow]:
    """``count`` rows of a split (all, if it has fewer), spread evenly over the ledger."""
    rows = [row for row in read_ledger(corpus) if row.split == split]
    if count >= len(rows):
        return rows
    return [rows[k * len(rows) // count] for k in range(count)]


def sung_pieces(corpus: Path, rows: Sequence[LedgerRow], folder: Path, workers: int) -> list[Piece]:
    """The songs of ``rows`` sung by held-out voices and cut to excerpts, under ``folder``.

    A seed a song, so that every song has another singer.
    """
    pieces = []
    for number, row in enumerate(rows):
        song = read_song(corpus, row)
        (vocal,) = render_songs([song], folder / "sung", [SINGER_SEED + number], workers)
        pieces.append(cut_piece(song, vocal, folder / "vocals"))
    return pieces


def evaluate_pack(
    pack: Path, pieces: Sequence[Piece], folder: Path, *, style: str, seed: int, chords: bool = True
) -> Evaluation:
    """Gap closed by ``pack``; writes ``report.md``, ``.json`` and ``.png`` into ``folder``.

    Nothing but the vocal is given: tempo, beats and key are the appliance's own estimates.
    """
    engine = Engine(pack)

    def render_one(vocal: Path, out: Path) -> None:
        request = Request(vocal, out, Wishes(style=style), seed=seed, overwrite=True)
        render(engine, request, "evaluation")

    label = f"{engine.pack.manifest.name} {engine.pack.sha256[:12]} {style} seed {seed}"
    evaluation = evaluate(
        pieces,
        render_one,
        lambda score: play(score, "piano", engine.pack.soundfont_path),
        folder,
        label=label,
        judgements=Judgements(folder / "judgements"),
        chords=chords,
    )
    write_report(evaluation, folder)
    return evaluation
