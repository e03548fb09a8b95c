"""From a checkpoint back to runs, so that training can go on where somebody else's ended.

The optimiser's moments are not in a checkpoint; it finds new ones within a few dozen steps.
"""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file

from train.checkpoints.checkpoint import CheckpointError, refuse_pickles
from train.checkpoints.fit_anchors import ANCHORS_NAME

FACTS_NAME = "adopted.json"
"""What the checkpoint says about a network's training so far, beside the run that goes on from it."""


def adopt(checkpoint: Path, runs: Path) -> list[str]:
    """Write ``runs/NAME/state.safetensors`` for every network of ``checkpoint``; returns their names.

    A run that is there already is left alone.

    Raises:
        CheckpointError: the folder holds no checkpoint.
    """
    refuse_pickles(checkpoint)
    facts_path = checkpoint / "checkpoint.json"
    if not facts_path.is_file():
        raise CheckpointError(f"{facts_path}: missing; name the folder of a checkpoint")
    said = json.loads(facts_path.read_text())
    training = said.get("training", {})
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
    if "fit" in adopted and "fit" in said:
        (runs / "fit" / ANCHORS_NAME).write_text(json.dumps(said["fit"], indent=1) + "\n")
    return adopted
