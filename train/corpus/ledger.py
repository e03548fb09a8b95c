"""The ledger: one row a file with source, licence, evidence and hash.

Training takes a file only if its row has an allowed licence and its bytes have the row's hash; a
checkpoint names the hash of exactly the rows it was trained on.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ALLOWED_LICENCES = frozenset({"CC0-1.0", "Public domain (stated in file)"})


class LedgerError(Exception):
    """A file may not be used; the text says which and why."""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """The columns of ``ledger.csv`` that the build side uses."""

    id: str
    title: str
    file: str
    licence: str
    voice_part: str
    language: str
    split: str
    sha256: str

    @property
    def part_and_voice(self) -> tuple[str, str | None]:
        """The MusicXML part that is sung, and the voice in it where the part holds several."""
        part, _, voice = self.voice_part.partition("/voice")
        return part, voice or None


def read_ledger(corpus: Path) -> tuple[LedgerRow, ...]:
    """All rows of ``corpus/ledger.csv``.

    Raises:
        LedgerError: the ledger is missing or lacks a column.
    """
    path = corpus / "ledger.csv"
    if not path.is_file():
        raise LedgerError(f"{path}: no ledger there; name the folder that holds ledger.csv and the scores")
    with path.open(newline="", encoding="utf-8", errors="replace") as lines:
        table = csv.DictReader(lines)
        columns = LedgerRow.__slots__
        missing = set(columns) - set(table.fieldnames or ())
        if missing:
            raise LedgerError(f"{path}: the ledger lacks the columns {', '.join(sorted(missing))}")
        return tuple(LedgerRow(**{c: row[c] for c in columns}) for row in table)


def verified_bytes(corpus: Path, row: LedgerRow) -> bytes:
    """The file's bytes, after the licence and the hash were checked.

    Raises:
        LedgerError: licence not allowed, file missing, or its hash is not the ledger's.
    """
    if row.licence not in ALLOWED_LICENCES:
        raise LedgerError(f"{row.file}: licence '{row.licence}' is not one we may train on; remove the row")
    path = corpus / row.file
    if not path.is_file():
        raise LedgerError(f"{row.file}: named by the ledger but not in {corpus}; fetch it again")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != row.sha256:
        raise LedgerError(f"{row.file}: its hash is not the ledger's; the file was changed, fetch it again")
    return data


def row_for(rows: Iterable[LedgerRow], file: str) -> LedgerRow:
    """The row of a file.

    Raises:
        LedgerError: the file has no row.
    """
    for row in rows:
        if row.file == file:
            return row
    raise LedgerError(f"{file}: no ledger row; a file without a proven licence is not used")


def rows_hash(rows: Iterable[LedgerRow]) -> str:
    """SHA-256 over the sorted (file, licence, sha256) of the rows: the name of a training set."""
    lines = sorted(f"{row.file}\t{row.licence}\t{row.sha256}\n" for row in rows)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
