"""Saves and loads a run's state as one safetensors file: weights, their EMA, optimiser moments, steps."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from appliance.files.whole import whole_file


class Ema:
    """Exponential moving average of the weights, with a shorter memory early in the run.

    ``began`` is the step from which the run trains: that of the checkpoint if it was adopted, otherwise 0. So
    the average of an adopted run leaves the adopted weights as fast as that of a new run leaves chance.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.began = 0
        self.weights = {name: p.detach().clone().float() for name, p in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move the average towards the model's weights after ``step``."""
        trained = step - self.began
        decay = min(self.decay, (1 + trained) / (10 + trained))
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
        save_file(tensors, file.name, metadata=metadata(step, ema.began))


def metadata(step: int, began: int) -> dict[str, str]:
    """What a state says beside its tensors; earlier ones lack ``began``."""
    return {"step": json.dumps(step), "began": json.dumps(began)}


def load(path: Path, model: nn.Module, ema: Ema, optimiser: torch.optim.Optimizer) -> int:
    """Load a saved state into model, EMA and optimiser; returns its step."""
    with safe_open(path, framework="pt") as file:
        facts = file.metadata()
        step = int(json.loads(facts["step"]))
        ema.began = int(json.loads(facts.get("began", "0")))
        keys = set(file.keys())
        model.load_state_dict({n: file.get_tensor(f"model.{n}") for n in model.state_dict()})
        for name, weights in ema.weights.items():
            weights.copy_(file.get_tensor(f"ema.{name}"))
        for name, p in model.named_parameters():
            if f"exp_avg.{name}" in keys:
                optimiser.state[p] = {
                    "step": torch.tensor(float(step)),
                    "exp_avg": file.get_tensor(f"exp_avg.{name}").to(p.device),
                    "exp_avg_sq": file.get_tensor(f"exp_avg_sq.{name}").to(p.device),
                }
    return step


def load_ema(path: Path, model: nn.Module) -> int:
    """Load the averaged weights of a saved state into ``model``; returns its step."""
    with safe_open(path, framework="pt") as file:
        model.load_state_dict({n: file.get_tensor(f"ema.{n}") for n in model.state_dict()})
        return int(json.loads(file.metadata()["step"]))
