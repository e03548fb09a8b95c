"""The interface between a training stage and the loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from torch import Tensor, nn

Batch = dict[str, Tensor]


class Stage(Protocol):
    """One network, its data and its loss."""

    name: str
    model: nn.Module

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield training batches without end; called in a worker process with its own generator."""
        ...

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Scalars by name; ``loss`` is minimised, the others are logged."""
        ...

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Figures on the validation split; ``model`` has the EMA weights."""
        ...
