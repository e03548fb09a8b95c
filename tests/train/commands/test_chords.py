"""`python -m train chords` learns the written chords of the songs, in every transposition."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from support.tiny_cache import BARS, write_tiny_cache

pytest.importorskip("torch")

import torch

from appliance.composing.harmony import state_of
from train.checkpoints.chord_bias import BIAS_NAME
from train.cli import main
from train.commands import networks
from train.corpus.chord_symbols import SongChord, WrittenChord
from train.data import song_cache
from train.data.chord_sequences import chord_arrays
from train.training.chords import UNHEARD_SHARE, ChordStage
from train.training.loop import LoopConfig, fit

C, G7 = WrittenChord(0, "", 0), WrittenChord(7, "7", 11)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two songs of C and G7/B in turn, a bar each, for training and for validation; one without chords."""
    roots = {"one": (60, 67), "two": (60, 67), "bare": (60,)}
    cache = write_tiny_cache(tmp_path / "cache", roots, {"one": "train", "two": "val", "bare": "train"})
    written = chord_arrays([SongChord(4.0 * bar, (C, G7)[bar % 2]) for bar in range(BARS)])
    for name in ("one", "two"):
        file = cache / "songs" / f"{name}.npz"
        with np.load(file) as arrays:
            stored = dict(arrays)
        stored["plan"][:] = 1.0  # something sounds all the time
        np.savez(file, **stored, **written)
        np.save(cache / "plans" / f"{name}.npy", np.full((1, *stored["plan"].shape), 0.5, np.float16))
    return tmp_path


def test_the_written_chords_are_learnt(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []

    def fit_once(stage: Any, run: Path, loop: LoopConfig, device: torch.device) -> int:
        given.append((stage, run, loop))
        return fit(stage, run, replace(loop, steps=1, workers=0), device)

    monkeypatch.setattr(networks, "fit", fit_once)
    told = CliRunner().invoke(
        main, ["--runs", str(runs), "chords", "--steps", "7", "--batch", "3", "--minutes", "5"]
    )
    assert told.exit_code == 0, told.output
    ((stage, run, loop),) = given
    assert (run, loop.steps, loop.minutes) == (runs / "chords", 7, 5.0)
    assert [song.id for song in stage.train] == ["one"]
    assert "bias: change +" in told.output and (runs / "chords" / BIAS_NAME).is_file()
    batch = next(stage.batches(np.random.default_rng(0)))
    assert batch["circle"].shape[0] == 3
    for states, basses, length in zip(batch["states"], batch["basses"], batch["length"], strict=True):
        changes = np.flatnonzero(np.diff(states[:length])) + 1
        assert set(np.diff(changes).tolist()) == {4}  # a chord a bar
        # In each transposition one of the two chords is the other's dominant, with the third in the bass.
        found = set(zip(states[:length].tolist(), basses[:length].tolist(), strict=True))
        pairs = [{(state_of("", k), k), (state_of("7", (k + 7) % 12), (k + 11) % 12)} for k in range(12)]
        assert found in pairs
    with torch.no_grad():
        losses = stage.loss(stage.model, batch)
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_in_some_examples_nothing_is_heard_of_the_vocal(runs: Path) -> None:
    (song,) = (s for s in song_cache.load_split(runs / "cache" / "songs", "train") if s.chords)
    rng = np.random.default_rng(0)
    items = [ChordStage.item(song, runs / "cache", 32, rng, True) for _ in range(400)]
    unheard = [item for item in items if not item["circle"][:4].any() and not item["plain"][:4].any()]
    assert 0.5 * UNHEARD_SHARE < len(unheard) / 400 < 1.5 * UNHEARD_SHARE
    assert all(item["plain"][7].any() and len(set(item["states"].tolist())) > 1 for item in unheard)
    given = [item["given"].any() for item in unheard]
    assert any(given) and not all(given)
