"""The pack's rhythm bank is read strictly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.errors import PackError
from appliance.music.rhythm_plan import BarRhythm
from appliance.packs.rhythm_bank import StoredPhrase, bank_text, read_bank

FILE = Path("rhythms.json")
STORED = {"style": "pop", "meter": 4, "compound": False, "bpm": 96.0, "bars": 2, "rhythm": "1  low: 1 3\n"}


def test_the_packs_file_is_read() -> None:
    (found,) = read_bank(FILE, json.dumps([STORED]).encode()).phrases
    assert found.bars == (BarRhythm(((0, 24), (), ())), BarRhythm())
    # A bass plays in pop, and these strokes are its own; a piano's are two in eight beats.
    assert found.attributes() == (-3.0, 0.0)
    (piano,) = read_bank(FILE, json.dumps([STORED | {"style": "piano"}]).encode()).phrases
    assert piano.attributes() == pytest.approx((-2.0, 0.0))


@pytest.mark.parametrize(
    "change", [{"meter": 0}, {"bars": "2"}, {"rhythm": "3  low: 1\n"}, {"rhythm": "1  low: 5\n"}, {"more": 1}]
)
def test_a_damaged_file_is_named(change: dict[str, object]) -> None:
    with pytest.raises(PackError, match=r"rhythms\.json: .*etch the pack again"):
        read_bank(FILE, json.dumps([STORED | change]).encode())


def test_text_that_is_no_json_is_named() -> None:
    with pytest.raises(PackError, match=r"rhythms\.json"):
        read_bank(FILE, b"{")


def test_what_is_written_is_read() -> None:
    stored = StoredPhrase(**STORED)  # type: ignore[arg-type]
    text = bank_text([stored, stored])
    assert json.loads(text) == [STORED, STORED]
    assert len(read_bank(FILE, text.encode()).phrases) == 2
