"""Reads the song of a ledger row, whatever the format of its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from train.corpus.abc import read_abc
from train.corpus.assembly import PlayedScore, song_of
from train.corpus.kern import read_kern
from train.corpus.ledger import LedgerRow
from train.corpus.lilypond import read_lilypond
from train.corpus.musicxml_score import read_musicxml
from train.corpus.song import Song

READERS: Mapping[str, Callable[[Path, LedgerRow], PlayedScore]] = {
    ".mxl": read_musicxml,
    ".ly": read_lilypond,
    ".krn": read_kern,
    ".abc": read_abc,
}
"""Reader of a score by the ending of its file's name."""


def read_song(corpus: Path, row: LedgerRow) -> Song:
    """The song of a ledger row.

    Raises:
        LedgerError: the licence is not allowed, or the file is missing or altered.
        ValueError: the file is not a score, or has no sung notes.
    """
    reader = READERS.get(Path(row.file).suffix)
    if reader is None:
        raise ValueError(f"{row.file}: no reader for this format; known are {', '.join(READERS)}")
    return song_of(row, reader(corpus, row))
