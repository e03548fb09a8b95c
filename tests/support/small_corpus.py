"""A corpus of one file with its ledger, in a temporary folder."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable
from pathlib import Path

from train.corpus.ledger import LedgerRow, read_ledger

HEADER = [
    "id",
    "title",
    "file",
    "licence",
    "voice_part",
    "language",
    "split",
    "sha256",
    "kind",
    "role",
    "group",
    "attribution",
    "note",
    "has_chords",
    "compiled_sha256",
]


def small_corpus(folder: Path, name: str, data: bytes, compiled: bytes = b"", **changes: str) -> LedgerRow:
    """Write the file ``name``, its compiled MIDI if there is one, and a ledger; returns its row."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    row = dict.fromkeys(HEADER, "") | {
        "id": "song",
        "title": "Song",
        "file": name,
        "licence": "CC0-1.0",
        "split": "train",
        "language": "en",
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    if compiled:
        (folder / name).with_suffix(".mid").write_bytes(compiled)
        row["compiled_sha256"] = hashlib.sha256(compiled).hexdigest()
    ledger_of(folder, [row | changes])
    return read_ledger(folder)[0]


def ledger_of(folder: Path, rows: Iterable[dict[str, str]]) -> None:
    """Write a ledger of ``rows``; columns that a row does not have are empty."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "ledger.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        writer.writerows(dict.fromkeys(HEADER, "") | row for row in rows)
