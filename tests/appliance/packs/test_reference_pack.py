"""The pack in the repository: its size and origin, what it finds in the demo, and that its windows join."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.bends import clicks

from appliance.composing.windows import song_windows
from appliance.grid import FRAME_SAMPLES, FRAMES_PER_LATENT, SAMPLE_RATE_HZ
from appliance.music.keys import Key
from appliance.packs.pack import load_pack
from appliance.rendering.engine import Engine
from appliance.rendering.job import RenderJob
from appliance.rendering.redo.redo import redo
from appliance.rendering.redo.request import RedoRequest
from appliance.rendering.render import render

MAJOR = (0, 2, 4, 5, 7, 9, 11)


@pytest.fixture(scope="module")
def engine(reference_pack: Path) -> Engine:
    return Engine(reference_pack)


@pytest.fixture(scope="module")
def demo(engine: Engine, demo_vocal: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    out = tmp_path_factory.mktemp("demo")
    (receipt,) = render(engine, RenderJob(demo_vocal, out), "test")
    return receipt.facts, out


def test_sizes(reference_pack: Path, root: Path) -> None:
    def megabytes(folder: Path) -> float:
        return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6

    assert megabytes(reference_pack) <= 60
    assert megabytes(root / "checkpoints" / "reference") <= 80


@pytest.mark.slow
def test_it_was_trained_on_the_ledgers_training_rows(reference_pack: Path, root: Path) -> None:
    pytest.importorskip("torch")
    from train.corpus.ledger import ALLOWED_LICENCES, read_ledger, rows_hash
    from train.data.song_cache import SHORTEST_S

    folder = root / "train" / "corpus"
    with (folder / "ledger.csv").open(encoding="utf-8", errors="replace", newline="") as file:
        seconds = {row["id"]: float(row["expanded_seconds"] or 0) for row in csv.DictReader(file)}
    # The pack was trained on the songs and hymns that the ledger began with.
    read = [r for r in read_ledger(folder) if r.file.startswith(("openscore_lieder/", "open_hymnal/"))]
    rows = [r for r in read if r.split == "train" and seconds[r.id] >= SHORTEST_S]
    assert {row.licence for row in rows} <= ALLOWED_LICENCES
    manifest = load_pack(reference_pack, verify=False).manifest
    assert manifest.ledger_rows_sha256 == rows_hash(rows)
    facts = json.loads((root / "checkpoints" / "reference" / "checkpoint.json").read_text())
    assert facts["ledger_rows_sha256"] == manifest.ledger_rows_sha256


@pytest.mark.slow
def test_the_demo_is_heard_rightly(demo: tuple[dict, Path], root: Path) -> None:
    # The hymn is in A flat major, 3/4, at 120 beats per minute.
    facts, _ = demo
    assert facts["key"]["name"] == "Ab major"
    assert facts["tempo"]["trusted"] and facts["tempo"]["bpm"] == pytest.approx(120, abs=0.5)
    assert facts["tempo"]["meter"] == 3


@pytest.mark.slow
def test_the_band_plays_throughout(demo: tuple[dict, Path]) -> None:
    sound, _ = soundfile.read(demo[1] / "vocal.accompaniment.wav")
    seconds = sound[: len(sound) // SAMPLE_RATE_HZ * SAMPLE_RATE_HZ].reshape(-1, SAMPLE_RATE_HZ, 2)
    level_db = 10 * np.log10(np.square(seconds).mean(axis=(1, 2)) + 1e-12)
    assert (level_db > -50).mean() > 0.95


@pytest.mark.slow
def test_windows_join_without_a_click(engine: Engine, demo: tuple[dict, Path]) -> None:
    sound, _ = soundfile.read(demo[1] / "vocal.accompaniment.wav")
    sampler = engine.pack.manifest.sampler
    latents = len(sound) // (FRAME_SAMPLES * FRAMES_PER_LATENT)
    windows = song_windows(latents, sampler.window_frames, sampler.context_frames)
    joins = [(w.first + w.known) * FRAMES_PER_LATENT * FRAME_SAMPLES for w in windows[1:]]
    assert joins and not [join for join in joins if clicks(sound, join)]


@pytest.mark.slow
def test_redone_bars_join_without_a_click(engine: Engine, demo: tuple[dict, Path]) -> None:
    _, folder = demo
    request = RedoRequest((9, 12), seed=5, out=folder / "redone")
    made = redo(engine, folder / "vocal.receipt.json", request, "test").facts
    first, stop = (round(time_s * SAMPLE_RATE_HZ) for time_s in made["redo"]["span_s"])
    for ending in ("accompaniment.wav", "mix.wav"):
        before, after = (
            soundfile.read(place / f"vocal.{ending}")[0] for place in (folder, folder / "redone")
        )
        np.testing.assert_array_equal(before[:first], after[:first])
        np.testing.assert_array_equal(before[stop:], after[stop:])
        assert np.abs(before[first:stop] - after[first:stop]).max() > 0.01  # the bars are new
        assert not clicks(after, first) and not clicks(after, stop)


@pytest.mark.slow
def test_real_singing_is_heard_sanely(engine: Engine, shared: Path, tmp_path: Path) -> None:
    """The annotated notes lie in the estimated key, and the tempo is plausible."""
    vocals = shared / "vocals"
    (receipt,) = render(engine, RenderJob(vocals / "vocadito_1.wav", tmp_path), "test")
    with (vocals / "vocadito_1_notesA1.csv").open() as file:
        notes = [tuple(float(x) for x in row) for row in csv.reader(file)]
    pitches = np.array([round(69 + 12 * np.log2(f0 / 440)) for _, f0, _ in notes])
    lengths = np.array([length for _, _, length in notes])
    key = Key.parse(receipt.facts["key"]["name"])
    tonic = key.tonic if key.mode == "major" else (key.tonic + 3) % 12
    inside = np.isin((pitches - tonic) % 12, MAJOR)
    assert (lengths * inside).sum() / lengths.sum() > 0.85
    assert 50 <= receipt.facts["tempo"]["bpm"] <= 180
