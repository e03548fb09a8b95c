"""The ledger: one row per file with source, licence, evidence and hash.

Training uses a file only if its row has an allowed licence and its bytes have the row's hash. A checkpoint
stores the hash of the rows it was trained on.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, fields, replace
from functools import cache
from pathlib import Path

ALLOWED_LICENCES = frozenset(
    {
        "CC0-1.0",
        "Public domain (stated in file)",
        "Public domain (dedication)",
        "Unlicense (public domain)",
        "CC-BY-4.0",
        "BSD-3-Clause",
    }
)
"""Licences that allow training; the last two only with a credit, which the row's attribution holds."""

CREDIT_LICENCES = frozenset({"CC-BY-4.0", "BSD-3-Clause"})
"""Licences that ask for a credit."""

SUNG_ROLES = frozenset({"", "voice+keyboard", "satb", "leadsheet"})
"""Roles of scores with a sung part; a ledger without the column has no other files."""

_GUESSED_TEMPO = re.compile(r"(\d+(?:\.\d+)?) (?:quarter-)?bpm")


class LedgerError(Exception):
    """A file must not be used; the text says which and why."""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """The columns of ``ledger.csv`` that the build side uses; those with a default may be missing."""

    id: str
    title: str
    file: str
    licence: str
    voice_part: str
    language: str
    split: str
    sha256: str
    role: str = ""
    """What the file is for: 'voice+keyboard', 'satb', 'leadsheet', 'drums' or 'band'."""
    kind: str = ""
    """What the file is, in words."""
    group: str = ""
    """The work; no work is in two splits."""
    attribution: str = ""
    """The credit that the licence asks for, or thanks."""
    note: str = ""
    """What is peculiar about the file; of a score without a tempo, the guessed one."""
    has_chords: str = ""
    """'1' if the score has chord symbols."""
    compiled_sha256: str = ""
    """Hash of the MIDI file that LilyPond made of the file; it lies beside it."""

    @property
    def is_sung(self) -> bool:
        """Whether the file is a score with a sung part."""
        return self.role in SUNG_ROLES

    @property
    def credit(self) -> str:
        """The line to show wherever the file or what was learnt from it goes; "" if none is asked for."""
        return self.attribution if self.licence in CREDIT_LICENCES else ""

    @property
    def guessed_tempo(self) -> tuple[tuple[float, float], ...]:
        """The tempo that the note guesses for a score without one, as a mark (0, quarters a minute)."""
        match = _GUESSED_TEMPO.search(self.note)
        return ((0.0, float(match.group(1))),) if match else ()

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
        found = set(table.fieldnames or ())
        columns = [f.name for f in fields(LedgerRow) if f.default is MISSING or f.name in found]
        missing = set(columns) - found
        if missing:
            names = ", ".join(sorted(missing))
            raise LedgerError(f"{path}: the ledger lacks the columns {names}; restore the file")
        return tuple(_with_role(LedgerRow(**{c: row[c] or "" for c in columns})) for row in table)


def _with_role(row: LedgerRow) -> LedgerRow:
    """The row; ledgers before the column ``role`` say in ``kind`` which scores have four parts."""
    return replace(row, role="satb") if not row.role and row.kind.startswith("SATB") else row


def sung_rows(corpus: Path) -> tuple[LedgerRow, ...]:
    """The rows of ``corpus/ledger.csv`` that are scores with a sung part.

    Raises:
        LedgerError: as for :func:`read_ledger`.
    """
    return tuple(row for row in read_ledger(corpus) if row.is_sung)


def credits_of(rows: Iterable[LedgerRow]) -> tuple[str, ...]:
    """The credits that the licences of ``rows`` ask for, each once, sorted.

    Raises:
        LedgerError: a licence asks for a credit and the row has none.
    """
    lines = set()
    for row in rows:
        if row.licence in CREDIT_LICENCES and not row.credit:
            raise LedgerError(f"{row.file}: {row.licence} asks for a credit; fill in its attribution")
        lines.add(row.credit)
    return tuple(sorted(lines - {""}))


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


def verified_compiled(corpus: Path, row: LedgerRow) -> bytes:
    """The MIDI file compiled from a LilyPond source, after a check of its hash.

    Raises:
        LedgerError: the file is missing, or its hash is unknown or differs.
    """
    path = (corpus / row.file).with_suffix(".mid")
    if not path.is_file():
        raise LedgerError(f"{row.file}: its compiled {path.name} is not in {path.parent}; fetch it again")
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != (row.compiled_sha256 or _committed_hashes().get(row.sha256)):
        raise LedgerError(
            f"{row.file}: the hash of its compiled {path.name} is not the ledger's; fetch it again, or write "
            f"{found} into the column compiled_sha256 if you compiled it"
        )
    return data


@cache
def _committed_hashes() -> dict[str, str]:
    """Hashes of compiled files by those of their sources, from the ledger of this repository."""
    rows = read_ledger(Path(__file__).parent)
    return {row.sha256: row.compiled_sha256 for row in rows if row.compiled_sha256}


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
