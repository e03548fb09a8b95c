"""Six songs of the corpus, arranged in every style."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.music.score import STYLES, Score
from train.arrange import arrange
from train.corpus.ledger import read_ledger
from train.corpus.reader import read_song
from train.corpus.song import Song


@pytest.fixture(scope="session")
def songs(shared: Path) -> list[Song]:
    rows = [row for row in read_ledger(shared / "corpus") if row.split == "train"]
    return [read_song(shared / "corpus", row) for row in rows[7 :: len(rows) // 6][:6]]


@pytest.fixture(scope="session")
def scores(songs: list[Song]) -> dict[str, list[Score]]:
    return {style: [arrange(song, style, seed=1) for song in songs] for style in STYLES}
