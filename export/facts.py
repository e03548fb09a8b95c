"""The facts in ``checkpoint.json``, checked before export begins."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from appliance.packs.manifest import FitFacts, RollThresholds, SamplerFacts, Sha256, Text
from appliance.packs.pack import file_facts
from train.checkpoints.checkpoint import CheckpointError, refuse_pickles

FACTS_NAME = "checkpoint.json"


class CheckpointFacts(BaseModel):
    """The facts that graphs and pack need; any others are for the model card."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)

    latent_mean: Annotated[list[float], Field(min_length=1)]
    latent_std: list[Annotated[float, Field(gt=0)]]
    sampler: SamplerFacts
    thresholds: RollThresholds = RollThresholds()
    fit: FitFacts | None = None
    ledger_rows_sha256: Sha256
    licence: Text


def read_facts(folder: Path) -> CheckpointFacts:
    """Read and check ``checkpoint.json`` of ``folder``, and check that no pickle lies beside it.

    Raises:
        CheckpointError: ``checkpoint.json`` is missing, not JSON or incomplete, or a pickle is there.
    """
    path = folder / FACTS_NAME
    refuse_pickles(folder)
    if not path.is_file():
        raise CheckpointError(f"{folder}: no {FACTS_NAME} there; name the folder of a checkpoint")
    try:
        found = json.loads(path.read_bytes())
        if not isinstance(found, dict):
            raise CheckpointError(f"{path}: not a JSON object; train again or copy the checkpoint again")
        facts = CheckpointFacts.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CheckpointError(f"{path}: {place}: {first['msg']}; copy the checkpoint again") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not JSON ({error}); copy the checkpoint again") from error
    if len(facts.latent_mean) != len(facts.latent_std):
        raise CheckpointError(f"{path}: latent_mean and latent_std differ in length; train again")
    return facts


def all_facts(folder: Path) -> dict[str, Any]:
    """All of ``checkpoint.json``, including what only the model card shows."""
    facts: dict[str, Any] = json.loads((folder / FACTS_NAME).read_bytes())
    return facts


def checkpoint_sha256(folder: Path) -> str:
    """One hash for the weights and facts of a checkpoint: SHA-256 over its ``HASH  NAME`` lines, sorted by
    name.

    It does not check for missing files; :func:`train.checkpoints.checkpoint.load_checkpoint` does.
    """
    names = sorted([FACTS_NAME, *(file.name for file in folder.glob("*.safetensors"))])
    lines = [f"{file_facts(folder / name).sha256}  {name}\n" for name in names]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
