"""Makes runs of a checkpoint, so that training can continue from it.

A checkpoint does not hold the optimiser's moments; they recover within a few dozen steps.
"""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file

from train.checkpoints.checkpoint import CheckpointError, refuse_pickles
from train.checkpoints.fit_anchors import ANCHORS_NAME

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
        state = runs / file.stem / "state.safetensors"
        if state.exists():
            continue
        with safe_open(file, framework="pt") as stored:
            weights = {name: stored.get_tensor(name).float() for name in stored.keys()}  # noqa: SIM118
        tensors = {f"{kind}.{name}": w.clone() for name, w in weights.items() for kind in ("model", "ema")}
        state.parent.mkdir(parents=True, exist_ok=True)
        facts = training.get(file.stem, {})
        save_file(tensors, state, metadata={"step": json.dumps(int(facts.get("steps", 0)))})
        (state.parent / FACTS_NAME).write_text(json.dumps(facts, indent=1) + "\n")
        adopted.append(file.stem)
    if "fit" in adopted and "fit" in all_facts:
        (runs / "fit" / ANCHORS_NAME).write_text(json.dumps(all_facts["fit"], indent=1) + "\n")
    return adopted
