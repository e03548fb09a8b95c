"""The average of the weights over the steps of training."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402

from train.checkpoints.adopt import adopt  # noqa: E402
from train.training import state  # noqa: E402

STEPS = 2600


def one_weight(value: float) -> torch.nn.Linear:
    layer = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(layer.weight, value)
    return layer


def share_of_old(updates: int) -> float:
    """What an average of (1 + k) / (10 + k) leaves of the first weights after ``updates`` steps."""
    return prod((1 + k) / (10 + k) for k in range(1, updates + 1))


def adopted(folder: Path) -> Path:
    """The state of a run that is adopted from a checkpoint of :data:`STEPS` steps, with one weight, 0."""
    checkpoint = folder / "checkpoint"
    checkpoint.mkdir()
    save_file({"weight": torch.zeros(1, 1)}, checkpoint / "planner.safetensors")
    facts = {"training": {"planner": {"steps": STEPS}}}
    (checkpoint / "checkpoint.json").write_text(json.dumps(facts))
    assert adopt(checkpoint, folder / "runs") == ["planner"]
    return folder / "runs" / "planner" / "state.safetensors"


def average_after(saved: Path, updates: int) -> float:
    """The averaged weight after ``updates`` steps at which the weight is 1."""
    model = one_weight(1.0)
    ema = state.Ema(model, decay=0.999)
    step = state.load(saved, model, ema, torch.optim.AdamW(model.parameters()))
    torch.nn.init.constant_(model.weight, 1.0)
    for done in range(step + 1, step + updates + 1):
        ema.update(model, done)
    return float(ema.weights["weight"])


@pytest.mark.parametrize("updates", [1, 40, 300])
def test_an_adopted_run_leaves_the_old_weights_like_a_new_one(tmp_path: Path, updates: int) -> None:
    assert average_after(adopted(tmp_path), updates) == pytest.approx(1.0 - share_of_old(updates), abs=1e-5)


def test_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    saved = adopted(tmp_path)
    model = one_weight(0.0)
    ema, optimiser = state.Ema(model, decay=0.999), torch.optim.AdamW(model.parameters())
    step = state.load(saved, model, ema, optimiser)
    torch.nn.init.constant_(model.weight, 1.0)
    for done in range(step + 1, step + 21):
        ema.update(model, done)
    state.save(saved, model, ema, optimiser, step + 20)
    assert average_after(saved, 20) == pytest.approx(1.0 - share_of_old(40), abs=1e-5)


def test_a_state_of_an_earlier_release_still_loads(tmp_path: Path) -> None:
    saved = tmp_path / "state.safetensors"
    weights = {"model.weight": torch.zeros(1, 1), "ema.weight": torch.zeros(1, 1)}
    save_file(weights, saved, metadata={"step": "9990"})
    assert average_after(saved, 1) == pytest.approx(0.001, abs=1e-6)
