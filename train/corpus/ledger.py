"""The ledger: one row per file with source, licence, evidence and hash.

Training uses a file only if its row has an allowed licence and its bytes have the row's hash. A checkpoint
stores the hash of the rows it was trained on.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ALLOWED_LICENCES = frozenset({"CC0-1.0", "Public domain (stated in file)"})


class LedgerError(Exception):
    """A file must not be used; the text says which and why."""


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
        """The MusicXML part that is sung, and the voice in it if the part has several."""
        part, _, voice = self.voice_part.partition("/voice")
        return part, voice or None


def read_ledger(corpus: Path) -> tuple[LedgerRow, ...]:
    """All rows of ``corpus/ledger.csv``.

    Raises:
        LedgerError: the ledger is missing or lacks a column.
    """
    path = corpus / "ledger.csv"
    if not path.is_file():
        raise LedgerError(f"{path}: no ledger there; give the folder with ledger.csv and the scores")
    with path.open(newline="", encoding="utf-8", errors="replace") as lines:
        table = csv.DictReader(lines)
        columns = LedgerRow.__slots__
        missing = set(columns) - set(table.fieldnames or ())
        if missing:
            names = ", ".join(sorted(missing))
            raise LedgerError(f"{path}: the ledger lacks the columns {names}; restore the file")
        return tuple(LedgerRow(**{c: row[c] for c in columns}) for row in table)


def verified_bytes(corpus: Path, row: LedgerRow) -> bytes:
    """The file's bytes, after a check of licence and hash.

    Raises:
        LedgerError: the licence is not allowed, the file is missing, or its hash differs from the ledger's.
    """
    if row.licence not in ALLOWED_LICENCES:
        raise LedgerError(f"{row.file}: the licence '{row.licence}' is not allowed; remove the row")
    path = corpus / row.file
    if not path.is_file():
        raise LedgerError(f"{row.file}: listed in the ledger but not in {corpus}; fetch it again")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != row.sha256:
        raise LedgerError(f"{row.file}: its hash differs from the ledger's; the file changed, fetch it again")
    return data


def row_for(rows: Iterable[LedgerRow], file: str) -> LedgerRow:
    """The ledger row of ``file``.

    Raises:
        LedgerError: the file has no row.
    """
    for row in rows:
        if row.file == file:
            return row
    raise LedgerError(f"{file}: not in the ledger; add a row with its licence, or do not use it")


def rows_hash(rows: Iterable[LedgerRow]) -> str:
    """SHA-256 over the sorted (file, licence, sha256) of the rows, which identifies a training set."""
    lines = sorted(f"{row.file}\t{row.licence}\t{row.sha256}\n" for row in rows)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
