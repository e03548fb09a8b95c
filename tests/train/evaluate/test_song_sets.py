"""Song sets: which songs are measured side by side."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.small_corpus import ledger_of

from train.corpus.ledger import LedgerError, read_ledger
from train.evaluate.material.song_sets import KINDS, check_unseen, one_of_a_work, song_sets


def songs(folder: Path, *rows: tuple[str, str, str, str]) -> Path:
    """A corpus of (id, file, split, group)."""
    ledger_of(
        folder, [dict(zip(("id", "file", "split", "group"), row, strict=True), role="satb") for row in rows]
    )
    return folder


def test_a_further_corpus_adds_a_set_for_each_kind_that_it_has(tmp_path: Path) -> None:
    first = songs(tmp_path / "a", *((f"a{k}", f"a/{k}.mxl", "test", "") for k in range(5)))
    other = songs(
        tmp_path / "b",
        ("p1", "polish/1.krn", "test", "aria"),
        ("p2", "polish/2.krn", "test", "aria"),
        ("p3", "polish/3.krn", "test", ""),
        ("p4", "polish/4.krn", "train", "song"),
        ("c1", "carols/1.ly", "test", "noel"),
        ("s1", "songs/1.ly", "test", "ballad"),
        ("l1", "leadsheets/1.ly", "test", "blues"),
    )
    found = {s.name: [row.id for row in s.rows] for s in song_sets([first, other], "test", 2, 9)}
    # Of one work the first song counts; lead sheets have no accompaniment to compare with.
    assert found == {"first": ["a0", "a2"], "polish": ["p1", "p3"], "popular": ["c1", "s1"]}
    assert {len(s.rows) for s in song_sets([first, other], "test", 2, 1)} == {1, 2}
    assert [s.name for s in song_sets([first], "test", 5, 9)] == ["first"]
    assert list(KINDS) == ["polish", "popular"]


def test_a_work_that_training_has_seen_is_refused(tmp_path: Path) -> None:
    first = songs(tmp_path / "a", ("a0", "a/0.mxl", "test", "noel"))
    seen = songs(tmp_path / "b", ("c1", "carols/1.ly", "train", "noel"))
    with pytest.raises(LedgerError, match="noel: a work of the test split is in another split too"):
        song_sets([first, seen], "test", 1, 1)
    check_unseen([first], "test")


def test_songs_without_a_group_are_works_of_their_own(tmp_path: Path) -> None:
    corpus = songs(tmp_path, ("a", "a.mxl", "test", ""), ("b", "b.mxl", "test", ""))
    assert [row.id for row in one_of_a_work(read_ledger(corpus))] == ["a", "b"]
