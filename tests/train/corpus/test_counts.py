"""Scores of corpus2 against counts made without the readers: twenty files of each format.

``tests/data/corpus_counts.csv`` has bars, sung notes and others: notes of the accompaniment, in ABC chord
symbols. They were counted in the text of kern and ABC files, following expansion lists, and in the raw
events of MIDI files: a tied note once, no grace notes, the voice once wherever it begins a note.
"""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import pytest

from train.corpus.ledger import LedgerRow, read_ledger
from train.corpus.reader import READERS, read_song

COUNTS = Path(__file__).parents[2] / "data" / "corpus_counts.csv"
STRUCK_TWICE = {"polish/pl_0126.krn": 1}
"""Notes more than counted: Verovio does not join a tie whose second note is spelt with its own accidental."""


def rows_of(ending: str) -> list[dict[str, str]]:
    with COUNTS.open(newline="") as lines:
        return [row for row in csv.DictReader(lines) if row["file"].endswith(ending)]


@pytest.fixture(scope="module")
def corpus2(shared: Path) -> tuple[Path, dict[str, LedgerRow]]:
    folder = shared / "corpus2"
    if not (folder / "ledger.csv").is_file():
        pytest.skip(f"no corpus: {folder} has no ledger.csv")
    return folder, {row.file: row for row in read_ledger(folder)}


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".krn", ".ly", ".abc"])
def test_bars_and_notes_are_those_counted(corpus2: tuple[Path, dict[str, LedgerRow]], ending: str) -> None:
    pytest.importorskip({".krn": "verovio", ".abc": "music21"}.get(ending, "mido"))
    folder, ledger = corpus2
    counted = rows_of(ending)
    assert len(counted) == 20
    for row in counted:
        score = READERS[ending](folder, ledger[row["file"]])
        song = read_song(folder, ledger[row["file"]])
        others = len(song.chords) if ending == ".abc" else len(score.written)
        found = (len(score.bars) - 1, len(song.voice), others - STRUCK_TWICE.get(row["file"], 0))
        assert found == (int(row["bars"]), int(row["sung"]), int(row["others"])), row["file"]
        assert all(a < b for a, b in pairwise(song.beats_s))
