"""The pack in the repository still has the metrics stored in it, on the excerpts in tests/data."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.grid import FRAME_RATE_HZ
from appliance.packs.pack import load_pack
from train.corpus.ledger import ALLOWED_LICENCES, read_ledger
from train.evaluate.evaluation import METRICS
from train.evaluate.material.excerpts import Excerpt
from train.evaluate.material.songs import chosen_rows
from train.evaluate.pack.metrics_file import EXCERPT_TOLERANCE
from train.evaluate.pack.shipped import judge_shipped, read_excerpts, write_excerpts
from train.evaluate.players.renderers import music_hash
from train.evaluate.sections.setting import EvaluationSetting

SONG_TOLERANCE = 0.1
"""Allowed difference of a metric (0-1) of one song; songs differ from each other several times as much."""

WRITTEN_TOLERANCE = 0.005
"""The report is older than ties across voices: 3 % of tied notes of the written part were struck twice."""


@pytest.fixture(scope="module")
def excerpts(root: Path) -> list[Excerpt]:
    return read_excerpts(root / "tests" / "data" / "excerpts.json")


@pytest.fixture(scope="module")
def metrics(reference_pack: Path) -> dict[str, Any]:
    file = reference_pack / "metrics.json"
    assert file.is_file(), f"{file} is missing; see `python -m train metrics --help`"
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_excerpts_are_small_free_and_of_no_training_song(root: Path) -> None:
    file = root / "tests" / "data" / "excerpts.json"
    assert file.stat().st_size < 60_000
    rows = {row.id: row for row in read_ledger(root / "train" / "corpus")}
    songs = json.loads(file.read_text())["songs"]
    assert len(songs) >= 4 and {song["language"] for song in songs} >= {"de", "en", "fr"}
    for song in songs:
        assert rows[song["id"]].split == "val"
        assert rows[song["id"]].licence in ALLOWED_LICENCES


def test_what_is_performed_is_what_is_sung(excerpts: list[Excerpt]) -> None:
    """In most voiced frames of an excerpt the strongest pitch class is that of the sung note."""
    for excerpt in excerpts:
        right = counted = 0
        for note in excerpt.sung:
            first, last = (round(t * FRAME_RATE_HZ) for t in (note.start_s + 0.05, note.end_s - 0.05))
            chroma = excerpt.features[:12, first:last]
            voiced = chroma.max(axis=0, initial=0.0) > 0.2
            right += int((chroma.argmax(axis=0)[voiced] == note.pitch % 12).sum())
            counted += int(voiced.sum())
        assert counted > 100 and right / counted > 0.7, excerpt.id
        again = read_excerpts(Path(__file__).parents[2] / "data" / "excerpts.json")
        assert np.array_equal(excerpt.features, next(e for e in again if e.id == excerpt.id).features)


def test_the_pack_plays_as_its_metrics_say(
    reference_pack: Path, excerpts: list[Excerpt], metrics: dict[str, Any]
) -> None:
    found = judge_shipped(reference_pack, excerpts)
    for metric in METRICS:
        stored = metrics["excerpts"][metric]
        assert found[metric]["true"] == pytest.approx(stored["true"], abs=1e-3)
        assert found[metric]["ours"] == pytest.approx(stored["ours"], abs=EXCERPT_TOLERANCE), metric
        assert found[metric]["shuffled"] == pytest.approx(stored["shuffled"], abs=EXCERPT_TOLERANCE), metric


def test_the_metrics_are_those_of_this_pack(reference_pack: Path, metrics: dict[str, Any]) -> None:
    assert metrics["evaluated"]["identity"] == music_hash(load_pack(reference_pack, verify=False))
    for metric in ("harmony", "consonance"):
        assert metrics["excerpts"][metric]["ours"] > metrics["excerpts"][metric]["shuffled"]


def test_the_excerpts_come_from_the_corpus(root: Path, shared: Path, tmp_path: Path) -> None:
    write_excerpts(shared / "corpus", tmp_path / "excerpts.json")
    stored = root / "tests" / "data" / "excerpts.json"
    assert (tmp_path / "excerpts.json").read_bytes() == stored.read_bytes()


@pytest.mark.slow
def test_songs_of_the_report_are_judged_as_it_says(
    reference_pack: Path, root: Path, shared: Path, tmp_path: Path
) -> None:
    """Two songs of the committed report are sung, rendered and transcribed again."""
    pytest.importorskip("onnxruntime")
    if shutil.which("espeak-ng") is None or find_spec("pyworld") is None:
        pytest.skip("no singer: espeak-ng or pyworld is not installed")
    report = json.loads((root / "docs" / "reference" / "evaluation.json").read_text())
    about, stored = report["about"], report["sections"]["gap"]["rows"]
    assert about["identity"] == music_hash(load_pack(reference_pack, verify=False))
    known = {key: about[key] for key in ("split", "songs", "style", "seed")}
    setting = EvaluationSetting(reference_pack, shared / "corpus", tmp_path, workers=1, **known)
    rows = chosen_rows(setting.corpus, setting.split, setting.songs)[:2]
    judged = setting.judged(setting.sung(rows), setting.renderer)
    assert judged.failures == {}
    expected = {(row["piece"], row["metric"]): row for row in stored}
    for row in judged.rows:
        assert row.ours == pytest.approx(expected[row.piece, row.metric]["ours"], abs=SONG_TOLERANCE)
        assert row.true == pytest.approx(expected[row.piece, row.metric]["true"], abs=WRITTEN_TOLERANCE)
