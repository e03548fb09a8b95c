"""The training loop of all stages: mixed precision, EMA, resumable at any time."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch.utils.data import DataLoader, IterableDataset

from train.networks.precision import mixed_precision
from train.training import curves, state
from train.training.stage import Batch, Stage


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """Settings of a run. The learning rate decays until ``steps``; ``minutes`` stops a run earlier.

    ``floor`` is the final learning rate relative to ``learning_rate``.
    """

    steps: int
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    floor: float = 0.05
    weight_decay: float = 0.01
    clip: float = 1.0
    ema_decay: float = 0.999
    log_every: int = 20
    validate_every: int = 250
    save_every_s: float = 180.0
    minutes: float = math.inf
    workers: int = 1
    seed: int = 0


class _Endless(IterableDataset[Batch]):
    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage, self.seed = stage, seed

    def __iter__(self) -> Iterator[Batch]:
        info = torch.utils.data.get_worker_info()
        torch.set_num_threads(1)
        return self.stage.batches(np.random.default_rng((self.seed, info.id if info else 0)))


def fit(stage: Stage, run: Path, config: LoopConfig, device: torch.device) -> int:
    """Train until ``steps`` or ``minutes``; returns the step reached.

    ``run`` holds ``state.safetensors`` (from which training resumes), ``curve.csv`` and ``curve.png``.
    """
    run.mkdir(parents=True, exist_ok=True)
    model = stage.model.to(device)
    ema = state.Ema(model, config.ema_decay)
    optimiser = torch.optim.AdamW(
        model.parameters(), config.learning_rate, betas=(0.9, 0.99), weight_decay=config.weight_decay
    )
    saved = run / "state.safetensors"
    step = state.load(saved, model, ema, optimiser) if saved.exists() else 0
    loader = DataLoader(_Endless(stage, config.seed + step), batch_size=None, num_workers=config.workers)
    started = last_saved = time.monotonic()
    sums: dict[str, float] = {}
    console = Console()
    with _progress(console) as progress:
        task = progress.add_task(stage.name, total=config.steps, completed=step)
        for batch in loader:
            if step >= config.steps or time.monotonic() - started > 60 * config.minutes:
                break
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * learning_rate_factor(step, config)
            losses = _step(stage, batch, optimiser, config, device)
            step += 1
            ema.update(model, step)
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value / config.log_every
            progress.update(task, completed=step)
            if step % config.log_every == 0:
                row = {"step": step, "seconds": time.monotonic() - started, **sums}
                if step % config.validate_every == 0:
                    row |= {f"val_{k}": v for k, v in _validate(stage, ema).items()}
                curves.append(run / "curve.csv", row)
                _report(console, stage.name, row)
                sums = {}
            if time.monotonic() - last_saved > config.save_every_s:
                state.save(saved, model, ema, optimiser, step)
                last_saved = time.monotonic()
    state.save(saved, model, ema, optimiser, step)
    if (run / "curve.csv").exists():
        curves.plot(run / "curve.csv", run / "curve.png")
    return step


def learning_rate_factor(step: int, config: LoopConfig) -> float:
    """Linear warm-up, then cosine decay to ``floor`` at ``steps``."""
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    share = min(1.0, (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps))
    return config.floor + (1 - config.floor) * 0.5 * (1 + math.cos(math.pi * share))


def _step(
    stage: Stage, batch: Batch, optimiser: torch.optim.Optimizer, config: LoopConfig, device: torch.device
) -> dict[str, float]:
    stage.model.train()
    moved = {k: v.to(device, non_blocking=True) for k, v in batch.items()}
    with mixed_precision(device.type):
        losses = stage.loss(stage.model, moved)
    optimiser.zero_grad(set_to_none=True)
    losses["loss"].backward()
    torch.nn.utils.clip_grad_norm_(stage.model.parameters(), config.clip)
    optimiser.step()
    return {name: float(value.detach()) for name, value in losses.items()}


@torch.no_grad()
def _validate(stage: Stage, ema: state.Ema) -> dict[str, float]:
    model = copy.deepcopy(stage.model)
    model.load_state_dict(ema.weights)
    return stage.validate(model.eval())


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _report(console: Console, name: str, row: dict[str, float]) -> None:
    figures = "  ".join(f"{k} {v:.4g}" for k, v in row.items() if k != "step")
    console.print(f"{name} step {row['step']:.0f}  {figures}", highlight=False)
