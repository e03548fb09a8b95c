"""Takes with a pack that composes chords, through render and redo: other chords, and the same ones kept."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import soundfile
from support.fake_pack import write_fake_manifest
from support.redone_files import same_outside
from support.vocals import sung

from appliance.composing.wishes import Wishes
from appliance.packs.rhythm_bank import RHYTHMS_NAME, StoredPhrase, bank_text
from appliance.rendering.engine import Engine
from appliance.rendering.job import RenderJob
from appliance.rendering.redo.redo import redo
from appliance.rendering.redo.request import GivenChords, RedoRequest
from appliance.rendering.render import render

pytestmark = pytest.mark.slow

BARS = 4
BEATS = "".join(f"{0.5 * k:.1f} {k % 4 + 1}\n" for k in range(4 * BARS))
"""Bars of two seconds, from the start of the recording."""


@pytest.fixture(scope="module")
def engine(composing_pack: Path) -> Engine:
    return Engine(composing_pack)


@pytest.fixture(scope="module")
def vocal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vocal") / "song.wav"
    soundfile.write(path, sung(2.0 * BARS), 44_100)
    return path


def rendered(engine: Engine, vocal: Path, out: Path, **wishes: Any) -> dict[int, dict[str, Any]]:
    """The receipts of a job, by seed."""
    render(engine, RenderJob(vocal, out, Wishes(beats=BEATS, **wishes)), "test")
    receipts = [json.loads(path.read_text()) for path in out.glob("*.receipt.json")]
    return {receipt["seed"]: receipt for receipt in receipts}


def chords(receipt: dict[str, Any]) -> list[str]:
    return [line.split()[2] for line in receipt["chart_text"].splitlines()]


def test_takes_have_chords_of_their_own_unless_variety_is_nil(
    engine: Engine, vocal: Path, tmp_path: Path
) -> None:
    usual = rendered(engine, vocal, tmp_path / "usual", takes=4)
    assert {receipt["variety"] for receipt in usual.values()} == {0.25}
    assert len({receipt["chart_text"] for receipt in usual.values()}) > 2
    none = rendered(engine, vocal, tmp_path / "none", takes=2, variety=0.0)
    assert none[0]["chart_text"] == none[1]["chart_text"] == usual[0]["chart_text"]
    seed = max(usual)
    alone = rendered(engine, vocal, tmp_path / "alone", seed=seed)
    assert alone[seed]["chart_text"] == usual[seed]["chart_text"]  # a take depends on its seed only


def test_a_chart_with_gaps_is_filled_and_kept(engine: Engine, vocal: Path, tmp_path: Path) -> None:
    given = rendered(engine, vocal, tmp_path, takes=3, chords="| Ebm | ? | ? B | Ebm |")
    for receipt in given.values():
        found = chords(receipt)
        assert receipt["chart_given"] and (found[0], found[-2:]) == ("Ebm", ["B", "Ebm"])
        assert len(found) > 3
        assert receipt["chart"][0][1] == 2.0 and receipt["chart"][-2][0] == 5.0


def test_a_part_alone_keeps_the_chords_of_the_others(engine: Engine, vocal: Path, tmp_path: Path) -> None:
    before = rendered(engine, vocal, tmp_path, seed=3, style="jazz")[3]
    (path,) = tmp_path.glob("*.receipt.json")
    after = redo(engine, path, RedoRequest(parts=("keys",), seed=9), "test").facts
    assert after["chart_text"] == before["chart_text"] and not after["chart_given"]


def test_bars_alone_get_chords_of_their_own_between_those_that_stay(
    engine: Engine, vocal: Path, tmp_path: Path
) -> None:
    before = rendered(engine, vocal, tmp_path, seed=3)[3]
    (path,) = tmp_path.glob("*.receipt.json")
    charts = []
    for seed in range(4, 9):
        after = redo(engine, path, RedoRequest((2, 3), seed=seed), "test").facts
        charts.append(after["chart_text"])
        for bar in (0.0, 6.0):  # bars 1 and 4
            assert at(after, bar + 1.0) == at(before, bar + 1.0)
    assert len(set(charts)) > 1


def test_free_chords_can_be_asked_for_in_a_redo(engine: Engine, vocal: Path, tmp_path: Path) -> None:
    before = rendered(engine, vocal, tmp_path, chords="| Ebm | B | Gb | Ebm |")[0]
    (path,) = tmp_path.glob("*.receipt.json")
    request = RedoRequest(chords=(GivenChords(2, "| ? | ? |"),))
    after = redo(engine, path, request, "test").facts
    assert "?" not in after["chart_text"] and after["chart_given"]
    assert (at(after, 1.0), at(after, 7.0)) == ("Ebm", "Ebm")
    assert after["chart_text"] != before["chart_text"]
    sounds = (tmp_path / f"{name}.accompaniment.wav" for name in ("song", "song-2"))
    assert same_outside(*sounds, round(2.0 * 44_100), round(6.0 * 44_100), round(2.0 * BARS * 44_100))


def test_the_receipt_of_a_redo_has_the_rhythm_that_is_played_now(
    composing_pack: Path, vocal: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(composing_pack, tmp_path / "pack"))
    rhythms = ("1-2 low: 1 3\n", "1-2 low: 1& 3&\n")
    bank = [
        StoredPhrase(style=style, meter=4, compound=False, bpm=120.0, bars=2, rhythm=rhythm)
        for style in ("piano", "jazz")
        for rhythm in rhythms
    ]
    (folder / RHYTHMS_NAME).write_text(bank_text(bank))
    write_fake_manifest(folder)
    engine = Engine(folder)
    before = rendered(engine, vocal, tmp_path / "out", style="jazz")[0]["rhythm_text"]
    assert before.startswith("1-3  low: 1")
    (path,) = (tmp_path / "out").glob("*.receipt.json")
    here = redo(engine, path, RedoRequest((2, 2), seed=1), "test").facts["rhythm_text"].splitlines()
    lines = before.splitlines()
    assert [line.partition("  ")[0] for line in here] == ["1", "2", "3", "4"]
    assert here[0].partition("  ")[2] == here[2].partition("  ")[2] == lines[0].partition("  ")[2]
    assert here[1] != here[0] and here[3] == lines[1]
    part = redo(engine, path, RedoRequest(parts=("bass",), seed=1), "test").facts
    assert part["rhythm_text"] == before
    whole = redo(engine, path, RedoRequest(seed=1), "test").facts["rhythm_text"]
    assert whole.partition("low")[2] != before.partition("low")[2]


def at(receipt: dict[str, Any], time_s: float) -> str:
    (label,) = (label for start_s, end_s, label in receipt["chart"] if start_s <= time_s < end_s)
    return str(label)
