"""Saves and loads a run's state as one safetensors file: weights, their EMA, optimiser moments, step.

A state of a network with fewer condition rows is widened: the new rows have no effect until they are trained.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from appliance.files.whole import whole_file

WIDENED = "condition.rows_in.weight"
"""Name of the weight (W, R, K) over the rows of the condition, at its end."""


class Ema:
    """Exponential moving average of the weights, with a shorter memory early in the run."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = {name: p.detach().clone().float() for name, p in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move the average towards the model's weights after ``step``."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, p in model.state_dict().items():
            self.weights[name].lerp_(p.detach().float(), 1.0 - decay)


def save(path: Path, model: nn.Module, ema: Ema, optimiser: torch.optim.Optimizer, step: int) -> None:
    """Write the run's state; the file appears whole or not at all."""
    tensors: dict[str, Tensor] = {}
    for name, p in model.state_dict().items():
        tensors[f"model.{name}"] = p.detach().contiguous()
        tensors[f"ema.{name}"] = ema.weights[name].contiguous()
    names = {id(p): name for name, p in model.named_parameters()}
    for p, moments in optimiser.state.items():
        for key in ("exp_avg", "exp_avg_sq"):
            tensors[f"{key}.{names[id(p)]}"] = moments[key].contiguous()
    with whole_file(path) as file:
        save_file(tensors, file.name, metadata={"step": json.dumps(step)})


def load(path: Path, model: nn.Module, ema: Ema, optimiser: torch.optim.Optimizer) -> int:
    """Load a saved state into model, EMA and optimiser; returns its step."""
    with safe_open(path, framework="pt") as file:
        step = int(json.loads(file.metadata()["step"]))
        keys = set(file.keys())
        model.load_state_dict(_weights(file, "model", model))
        for name, weights in _weights(file, "ema", model).items():
            ema.weights[name].copy_(weights)
        for name, p in model.named_parameters():
            if f"exp_avg.{name}" in keys:
                optimiser.state[p] = {
                    "step": torch.tensor(float(step)),
                    "exp_avg": _widened(name, file.get_tensor(f"exp_avg.{name}"), p).to(p.device),
                    "exp_avg_sq": _widened(name, file.get_tensor(f"exp_avg_sq.{name}"), p).to(p.device),
                }
    return step


def load_ema(path: Path, model: nn.Module) -> int:
    """Load the averaged weights of a saved state into ``model``; returns its step."""
    with safe_open(path, framework="pt") as file:
        model.load_state_dict(_weights(file, "ema", model))
        return int(json.loads(file.metadata()["step"]))


def _weights(file: Any, kind: str, model: nn.Module) -> dict[str, Tensor]:
    """The tensors of ``kind`` for every weight of ``model``, by its name."""
    wanted = model.state_dict()
    return {name: _widened(name, file.get_tensor(f"{kind}.{name}"), w) for name, w in wanted.items()}


def _widened(name: str, stored: Tensor, wanted: Tensor) -> Tensor:
    """``stored``, with zeros for the condition rows that only ``wanted`` has."""
    if not name.endswith(WIDENED) or stored.shape[1] >= wanted.shape[1]:
        return stored
    wide = torch.zeros_like(wanted, dtype=stored.dtype, device=stored.device)
    wide[:, : stored.shape[1]] = stored
    return wide
