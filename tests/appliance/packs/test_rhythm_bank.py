"""The pack's rhythm bank is read strictly."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.errors import PackError
from appliance.music.rhythm_plan import BarRhythm
from appliance.music.score import BeatGrid
from appliance.packs.rhythm_bank import StoredPhrase, bank_text, read_bank

FILE = Path("rhythms.json")
STORED = {"style": "pop", "meter": 4, "compound": False, "bpm": 96.0, "bars": 2, "rhythm": "1  low: 1 3\n"}
POP = BeatGrid((0.0, 0.5, 1.0, 1.5), (0,), 1.0, 4)


def test_the_packs_file_is_read() -> None:
    (found,) = read_bank(FILE, json.dumps([STORED]).encode()).all()
    assert found.bars == (BarRhythm(((0, 24), (), ())), BarRhythm())
    # A bass plays in pop, and these strokes are its own; a piano's are two in eight beats.
    assert found.attributes() == (-3.0, 0.0)
    (piano,) = read_bank(FILE, json.dumps([STORED | {"style": "piano"}]).encode()).all()
    assert piano.attributes() == pytest.approx((-2.0, 0.0))


@pytest.mark.parametrize(
    "change", [{"meter": 0}, {"bars": "2"}, {"rhythm": "3  low: 1\n"}, {"rhythm": "1  low: 5\n"}, {"more": 1}]
)
def test_a_damaged_file_is_named(change: dict[str, object]) -> None:
    with pytest.raises(PackError, match=r"rhythms\.json: .*etch the pack again"):
        read_bank(FILE, json.dumps([STORED | change]).encode()).of("pop", POP)


def test_text_that_is_no_json_is_named() -> None:
    with pytest.raises(PackError, match=r"rhythms\.json"):
        read_bank(FILE, b"{")


def test_what_is_written_is_read() -> None:
    stored = StoredPhrase(**STORED)  # type: ignore[arg-type]
    text = bank_text([stored, stored])
    assert json.loads(text) == [STORED, STORED]
    assert len(read_bank(FILE, text.encode()).all()) == 2


def test_only_what_is_needed_is_read() -> None:
    waltz = STORED | {"style": "waltz", "meter": 3, "rhythm": "1  low: 9\n"}
    bank = read_bank(FILE, json.dumps([STORED, waltz, STORED | {"compound": True}]).encode())
    (found,) = bank.of("pop", POP)
    assert (found.bpm, found.compound) == (96.0, False) and bank.of("jazz", POP) == ()
    with pytest.raises(PackError, match=r"rhythms\.json: the waltz phrase at 96 bpm, line 1"):
        bank.of("waltz", replace(POP, meter=3))
    with pytest.raises(PackError):
        bank.all()
