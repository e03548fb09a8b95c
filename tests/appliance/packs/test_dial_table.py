"""What a dial means in each style: the table of a pack, and the one for packs without."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.fake_pack import write_fake_manifest

from appliance.errors import PackError
from appliance.music.dials import DIALS, LEAST_STEPS
from appliance.music.score import STYLES
from appliance.packs.dial_table import DIALS_NAME, DialTable, Spread, usual_table
from appliance.packs.pack import load_pack


def facts(mean: float = 1.0, sd: float = 4.0) -> dict[str, Any]:
    spread = {"mean": mean, "sd": sd, "bar_mean": 0.0, "bar_sd": 5.0}
    return {"schema": 1, "songs": 3, "styles": {"piano": dict.fromkeys(DIALS, spread)}}


@pytest.fixture
def pack(fake_pack: Path, tmp_path: Path) -> Path:
    """A copy of the fake pack with a table of its own."""
    folder = Path(shutil.copytree(fake_pack, tmp_path / "pack"))
    (folder / DIALS_NAME).write_text(json.dumps(facts()))
    write_fake_manifest(folder)
    return folder


def test_a_pack_carries_its_table(pack: Path) -> None:
    opened = load_pack(pack)
    assert opened.has_dials
    assert opened.dials().styles["piano"]["density"] == Spread(mean=1.0, sd=4.0, bar_mean=0.0, bar_sd=5.0)


def test_a_pack_without_one_uses_the_usual_table(fake_pack: Path) -> None:
    opened = load_pack(fake_pack)
    assert not opened.has_dials and opened.dials() == usual_table()
    assert usual_table().songs > 1000
    assert {"piano", "strings", "organ", "guitar", "pop", "folk", "jazz", "synth"} <= set(
        usual_table().styles
    )
    assert set(usual_table().styles) <= set(STYLES)


def test_an_altered_table_is_refused(pack: Path) -> None:
    opened = load_pack(pack)
    (pack / DIALS_NAME).write_text(json.dumps(facts(mean=2.0)))
    with pytest.raises(PackError, match=r"dials\.json: altered"):
        opened.dials()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f["styles"]["piano"].pop("voices"), "piano must have density, register"),
        (lambda f: f["styles"]["piano"]["voices"].update(sd=-1.0), "must be at least 0, not -1.0"),
        (lambda f: f.update(schema=2), "schema"),
        (lambda f: f.update(more=1), "more"),
    ],
)
def test_a_damaged_table_is_refused(pack: Path, change: Any, said: str) -> None:
    wrong = facts()
    change(wrong)
    (pack / DIALS_NAME).write_text(json.dumps(wrong))
    write_fake_manifest(pack)
    with pytest.raises(PackError, match=said):
        load_pack(pack).dials()


def test_a_step_is_a_standard_deviation_but_one_that_is_heard() -> None:
    wide = Spread(mean=60.0, sd=4.0, bar_mean=0.0, bar_sd=1.0)
    assert wide.step("register") == 4.0
    assert [wide.goal("register", z) for z in (-2.0, 0.0, 1.5)] == [52.0, 60.0, 66.0]
    narrow = Spread(mean=60.0, sd=0.5, bar_mean=0.0, bar_sd=1.0)
    assert narrow.step("register") == LEAST_STEPS["register"] == 2.0
    assert narrow.goal("register", 1.0) == 62.0
    assert narrow.setting("register", 63.0) == 1.5


def test_goals_stay_within_what_there_can_be() -> None:
    share = Spread(mean=0.2, sd=0.2, bar_mean=0.0, bar_sd=1.0)
    assert [share.goal("colour", z) for z in (-2.0, -1.0, 1.0)] == [0.0, 0.0, 0.4]
    assert Spread(mean=1.2, sd=0.5, bar_mean=0.0, bar_sd=1.0).goal("voices", -2.0) == 1.0


def test_equal_tables_give_equal_bytes() -> None:
    table = DialTable.model_validate_json(json.dumps(facts()))
    assert DialTable.model_validate_json(table.to_json()) == table
    assert json.loads(table.to_json())["schema"] == 1
