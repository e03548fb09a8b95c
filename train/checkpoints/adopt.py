"""Makes runs of a checkpoint, so that training can continue from it.

A checkpoint does not hold the optimiser's moments; they recover within a few dozen steps.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from appliance.networks.condition_rows import CONDITION_ROWS, STYLE_ROWS
from appliance.packs.originals import ORIGINALS_NAME
from train.checkpoints.checkpoint import STYLE_ROWS_BEFORE, CheckpointError, refuse_pickles
from train.checkpoints.fit_anchors import ANCHORS_NAME
from train.training.state import metadata

STYLE_WEIGHTS = ("style_in.weight", "style.weight", "drums_style.weight", "style.0.weight")
"""Endings of the names of weights (C, S + 1 or more, 1) that read the style."""

ROWS_WEIGHT = "condition.rows_in.weight"
"""Ending of the name of the weight (C, R, K) that reads the R rows of the condition."""

FACTS_NAME = "adopted.json"
"""File in a run with the checkpoint's facts about the network's training so far."""


def adopt(checkpoint: Path, runs: Path) -> list[str]:
    """Write ``runs/NAME/state.safetensors`` for every network of ``checkpoint``; returns their names.

    Existing runs are left unchanged.

    Raises:
        CheckpointError: the folder holds no checkpoint, or a pickle.
    """
    refuse_pickles(checkpoint)
    facts_path = checkpoint / "checkpoint.json"
    if not facts_path.is_file():
        raise CheckpointError(f"{facts_path}: missing; give the folder of a checkpoint")
    all_facts = json.loads(facts_path.read_text())
    training = all_facts.get("training", {})
    adopted = []
    for file in sorted(checkpoint.glob("*.safetensors")):
        if file.name == ORIGINALS_NAME:  # not a network
            continue
        state = runs / file.stem / "state.safetensors"
        if state.exists():
            continue
        weights = weights_for_today(file)
        tensors = {f"{kind}.{name}": w.clone() for name, w in weights.items() for kind in ("model", "ema")}
        state.parent.mkdir(parents=True, exist_ok=True)
        facts = training.get(file.stem, {})
        steps = int(facts.get("steps", 0))
        save_file(tensors, state, metadata=metadata(steps, began=steps))
        (state.parent / FACTS_NAME).write_text(json.dumps(facts, indent=1) + "\n")
        adopted.append(file.stem)
    if "fit" in adopted and "fit" in all_facts:
        (runs / "fit" / ANCHORS_NAME).write_text(json.dumps(all_facts["fit"], indent=1) + "\n")
    return adopted


def weights_for_today(file: Path) -> dict[str, Tensor]:
    """Weights of a network of a checkpoint, for one that takes all styles and all rows of today."""
    with safe_open(file, framework="pt") as stored:
        weights = {name: stored.get_tensor(name).float() for name in stored.keys()}  # noqa: SIM118
        config = json.loads((stored.metadata() or {}).get("config", "{}"))
    return with_all_rows(with_all_styles(weights, int(config.get("style_rows", STYLE_ROWS_BEFORE))))


def with_all_styles(weights: dict[str, Tensor], rows: int) -> dict[str, Tensor]:
    """``weights`` of a network with ``rows`` style rows, for one that knows all styles of today.

    A new style begins as the mean of the known ones; the row for no particular style stays the last.
    """
    missing = STYLE_ROWS - rows
    widened = dict(weights)
    for name, weight in weights.items():
        if missing > 0 and name.endswith(STYLE_WEIGHTS):
            known, others = weight[:, : rows - 1], weight[:, rows - 1 :]
            new = known.mean(dim=1, keepdim=True).repeat(1, missing, 1)
            widened[name] = torch.cat([known, new, others], dim=1)
    return widened


def with_all_rows(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """``weights`` for a network that takes every row of the condition of today.

    A new row begins without effect.
    """
    return {
        name: F.pad(w, (0, 0, 0, max(0, CONDITION_ROWS - w.shape[1]))) if name.endswith(ROWS_WEIGHT) else w
        for name, w in weights.items()
    }
