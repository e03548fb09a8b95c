"""Song sets: kinds of music that training has not seen, measured side by side.

The first is the first corpus's split, which all other sections use. Further corpora add a set for each of
:data:`KINDS` that they have, with one song of every work: five settings of one aria are one piece of
evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from train.corpus.ledger import LedgerError, LedgerRow, sung_rows
from train.evaluate.material.songs import chosen_rows, evenly

FIRST = "first"
FIRST_TITLE = "songs and hymns"

KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "polish": ("Polish songs", ("polish",)),
    "popular": ("popular songs and carols", ("songs", "carols")),
}
"""Title and folders, inside a corpus, of the further sets.

Lead sheets are in none, because nobody wrote an accompaniment that a result could be compared with.
"""


@dataclass(frozen=True, slots=True)
class SongSet:
    """Rows of one corpus that are measured together."""

    name: str
    title: str
    corpus: Path
    rows: tuple[LedgerRow, ...]


def song_sets(corpora: Sequence[Path], split: str, first_songs: int, songs: int) -> list[SongSet]:
    """The sets of ``split``: ``first_songs`` songs of the first corpus, at most ``songs`` of each other set.

    Raises:
        LedgerError: a ledger cannot be used, or a work is in this split and in another one.
    """
    check_unseen(corpora, split)
    first, *others = corpora
    sets = [SongSet(FIRST, FIRST_TITLE, first, tuple(chosen_rows(first, split, first_songs)))]
    for corpus in others:
        rows = [row for row in sung_rows(corpus) if row.split == split]
        for name, (title, folders) in KINDS.items():
            chosen = [row for row in rows if Path(row.file).parts[0] in folders]
            if chosen:
                sets.append(SongSet(name, title, corpus, tuple(evenly(one_of_a_work(chosen), songs))))
    return sets


def one_of_a_work(rows: Iterable[LedgerRow]) -> list[LedgerRow]:
    """The first row of every work; a row without a group is a work of its own."""
    return list({row.group or row.id: row for row in reversed(list(rows))}.values())[::-1]


def check_unseen(corpora: Iterable[Path], split: str) -> None:
    """Raise LedgerError if a work of ``split`` is in another split too, of whatever corpus."""
    rows = [row for corpus in corpora for row in sung_rows(corpus) if row.group]
    inside = {row.group for row in rows if row.split == split}
    elsewhere = sorted({row.group for row in rows if row.split != split} & inside)
    if elsewhere:
        raise LedgerError(f"{elsewhere[0]}: a work of the {split} split is in another split too; move it")
