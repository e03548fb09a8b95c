"""What the commands that train networks pass on to their stages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from support.tiny_cache import write_tiny_cache

pytest.importorskip("torch")

from train.cli import main
from train.commands import networks
from train.training import state


@pytest.mark.parametrize("network", ["denoiser", "student"])
def test_windows_are_as_long_as_asked(network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tiny_cache(tmp_path / "cache", {"one": (60,), "two": (65,)}, {"one": "train", "two": "val"})
    given: list[Any] = []
    monkeypatch.setattr(networks, "fit", lambda stage, run, loop, device: given.append((stage, run, loop)))
    monkeypatch.setattr(state, "load_ema", lambda file, network: None)  # an untrained teacher will do
    for options, frames in (([], 256), (["--frames", "128", "--steps", "7", "--batch", "2"], 128)):
        told = CliRunner().invoke(main, ["--runs", str(tmp_path), network, *options])
        assert told.exit_code == 0, told.output
        stage, run, loop = given.pop()
        assert run == tmp_path / network and (loop.steps == 7) == bool(options)
        batch = next(stage.batches(np.random.default_rng(0)))
        assert batch["latent"].shape[2] == frames and batch["rows"].shape[2] == 2 * frames
