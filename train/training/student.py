"""Stage 4, the student: a distilled denoiser that needs few steps and no guidance.

One network learns several step lengths, which are an input (shortcut models, arXiv 2410.12557). The target of
the shortest step is two half steps of the guided denoiser (progressive and guidance distillation, arXiv
2202.00512 and 2210.03142). The target of a longer step is two half steps of the student itself.

Letters: B batch, Z latent channels, N latent frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from train.data.windows import Dropout, WindowSource
from train.networks.denoiser import DenoiserConfig
from train.networks.generator import Generator
from train.networks.precision import mixed_precision
from train.training.stage import Batch

STEPS = 8
"""Number of shortest steps from noise to data; longer steps are 2, 4 and 8 times as long."""

TAUGHT = 0.625
"""Share of a batch with targets from the denoiser; the rest has targets from the student's own half steps."""

SELF_STRIDE, WIDE_STRIDE = 2, 4
"""The student's global attention pools this many frames, because attention at the full rate took half of its
time on old CPUs (``bench/README.md``). The teacher keeps the full rate."""

DROPOUT = Dropout(everything=0.0, vocal=0.02, plan=0.05, style=0.02, true_plan=0.3)
"""Less is hidden than from the denoiser, because the student needs no guidance."""


def student_config(teacher: DenoiserConfig) -> DenoiserConfig:
    """The configuration of a student of ``teacher``."""
    return replace(teacher, few_steps=True, self_stride=SELF_STRIDE, wide_stride=WIDE_STRIDE)


class StudentStage:
    """Windows of real songs, with noise added for a timestep of the sampler's grid.

    The student begins with the weights ``start``, or with those of ``teacher``. The weights of an earlier
    student save most of the training (:mod:`train.checkpoints.student_start`).
    """

    name = "student"

    def __init__(
        self,
        teacher: Generator,
        train: WindowSource,
        val: WindowSource,
        batch: int = 16,
        frames: int = 256,
        guidance: float = 2.5,
        start: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.teacher = teacher.eval().requires_grad_(False)
        self.guidance, self.batch, self.frames = guidance, batch, frames
        self.train = replace(train, dropout=DROPOUT)
        student = Generator(student_config(teacher.config))
        missing, unknown = student.load_state_dict(start or teacher.state_dict(), strict=False)
        wanted = [] if start else ["denoiser.stride_in.weight"]
        if teacher.config.few_steps or missing != wanted or unknown:
            raise ValueError(f"the teacher is not an undistilled denoiser: {missing} {unknown}")
        self.model: nn.Module = student
        rng = np.random.default_rng(4)
        held_out = replace(val, dropout=DROPOUT)
        self._held_out = [self._batch(held_out, rng) for _ in range(2)] if val.songs else []
        self._wanted: list[Tensor] = []

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        while True:
            yield self._batch(self.train, rng)

    def _batch(self, source: WindowSource, rng: np.random.Generator) -> Batch:
        items = [source.window(self.frames, rng) for _ in range(self.batch)]
        batch = {name: np.stack([item[name] for item in items]) for name in items[0]}
        taught = round(TAUGHT * self.batch)
        stride = np.full(self.batch, 1.0 / STEPS)
        stride[taught:] *= rng.choice([2, 4, 8], self.batch - taught)
        place = rng.uniform(size=self.batch)
        timestep = np.ceil(np.maximum(place / stride, 1e-6)) * stride
        for name, values in (("stride", stride), ("timestep", timestep)):
            batch[name] = values.astype(np.float32).reshape(-1, 1, 1)
        batch["noise"] = rng.standard_normal(batch["latent"].shape).astype(np.float32)
        return {name: torch.from_numpy(values) for name, values in batch.items()}

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        t = batch["timestep"]
        noisy = (1.0 - t) * batch["latent"] + t * batch["noise"]
        taught = round(TAUGHT * len(t))
        first = {name: values[:taught] for name, values in batch.items()}
        rest = {name: values[taught:] for name, values in batch.items()}
        with torch.no_grad():
            target = torch.cat([self._teach(first, noisy[:taught]), _halves(model, rest, noisy[taught:])])
        velocity = _velocity(model, batch, _condition(model, batch), noisy, t, batch["stride"])
        scored = batch["valid"] * (1.0 - batch["known"])
        error = (velocity - target).square().mean(dim=1, keepdim=True) * scored
        by_item = error.sum(dim=(1, 2)) / scored.sum(dim=(1, 2)).clamp(min=1.0)
        return {"loss": by_item.mean(), "taught": by_item[:taught].mean(), "halves": by_item[taught:].mean()}

    def _teach(self, batch: Batch, noisy: Tensor) -> Tensor:
        """Mean velocity (B, Z, N) of the guided denoiser over two steps of half the stride."""
        teacher = self.teacher.to(noisy.device)
        both = {name: torch.cat([values, values]) for name, values in batch.items()}
        both["rows"] = torch.cat([batch["rows"], torch.zeros_like(batch["rows"])])
        condition = _condition(teacher, both)

        def velocity(x: Tensor, t: Tensor) -> Tensor:
            found = _velocity(teacher, both, condition, torch.cat([x, x]), torch.cat([t, t]), None)
            with_condition, without = found.chunk(2)
            return without + self.guidance * (with_condition - without)

        t, half = batch["timestep"], batch["stride"] / 2
        now = velocity(noisy, t)
        return (now + velocity(noisy - half * now, t - half)) / 2

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Distance of the student's result from the denoiser's in 8, 4, 2 and 1 steps, relative to its
        power."""
        device = next(model.parameters()).device
        batches = [{name: values.to(device) for name, values in batch.items()} for batch in self._held_out]
        found: dict[str, float] = {}
        with mixed_precision(device.type), torch.no_grad():
            if not self._wanted:
                self._wanted = [self._teacher_result(batch) for batch in batches]
            for steps in (8, 4, 2, 1):
                errors, powers = 0.0, 0.0
                for batch, wanted in zip(batches, self._wanted, strict=True):
                    scored = batch["valid"] * (1.0 - batch["known"])
                    apart = self._student_result(model, batch, steps) - wanted
                    errors += float((apart * scored).square().sum())
                    powers += float((wanted * scored).square().sum())
                found[f"apart_{steps}"] = errors / powers
        return found

    def _teacher_result(self, batch: Batch) -> Tensor:
        """Latent that the denoiser makes of the batch's noise in 2 * STEPS steps."""
        x = batch["noise"]
        stride = torch.full_like(batch["stride"], 1.0 / STEPS)
        for k in range(STEPS):
            moment = {**batch, "timestep": 1.0 - k * stride, "stride": stride}
            x = x - stride * self._teach(moment, x)
        return x

    @staticmethod
    def _student_result(model: nn.Module, batch: Batch, steps: int) -> Tensor:
        """Latent that the student makes of the batch's noise in ``steps`` steps."""
        x, condition = batch["noise"], _condition(model, batch)
        stride = torch.full_like(batch["stride"], 1.0 / steps)
        for k in range(steps):
            x = x - stride * _velocity(model, batch, condition, x, 1.0 - k * stride, stride)
        return x


def _halves(model: nn.Module, batch: Batch, noisy: Tensor) -> Tensor:
    """Mean velocity (B, Z, N) of the student's own two steps of half the stride."""
    t, half, condition = batch["timestep"], batch["stride"] / 2, _condition(model, batch)
    now = _velocity(model, batch, condition, noisy, t, half)
    return (now + _velocity(model, batch, condition, noisy - half * now, t - half, half)) / 2


def _condition(model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    """Tokens, keys and values of the batch."""
    condition: tuple[Tensor, Tensor] = model.condition(batch["rows"], batch["style"])
    return condition


def _velocity(
    model: nn.Module,
    batch: Batch,
    condition: tuple[Tensor, Tensor],
    x: Tensor,
    t: Tensor,
    stride: Tensor | None,
) -> Tensor:
    known, valid, style = batch["known"], batch["valid"], batch["style"]
    velocity: Tensor = model.denoiser(x, batch["context"], known, t, *condition, style, valid, stride)
    return velocity.float()
