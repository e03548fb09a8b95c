"""How much a trained denoiser relies on each path of the condition.

The ablation retrains without a part. Here the part is removed from a trained network instead; the rise of the
loss on the shared windows shows how much the network used it. The condition enters twice: added to the latent
frame by frame, and through the alignment attention.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

from torch import nn

from train.ablation.experiment import held_out_losses
from train.ablation.scale import Scale
from train.data.windows import WindowSource
from train.networks.generator import Generator

Change = Callable[[Generator], None]

Losses = dict[str, list[float]]
"""Losses of the windows, by name of the change."""


def _aligned(alignment: str) -> Change:
    def change(generator: Generator) -> None:
        generator.denoiser.config = replace(generator.denoiser.config, alignment=alignment)

    return change


def _alignment_off(generator: Generator) -> None:
    for block in generator.denoiser.blocks:
        _silence(block.align_out)


def _input_off(generator: Generator) -> None:
    _silence(generator.denoiser.token_in)


def _silence(layer: nn.Conv1d) -> None:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)


CHANGES: dict[str, Change] = {
    "as trained": lambda _: None,
    "local view alone": _aligned("local"),
    "global view alone": _aligned("global"),
    "without the alignment attention": _alignment_off,
    "without the condition at the input": _input_off,
}


def reliance(generator: Generator, source: WindowSource, scale: Scale) -> Losses:
    """The loss of each shared window after each of CHANGES, applied to a copy of ``generator``."""
    losses = {}
    for name, change in CHANGES.items():
        changed = copy.deepcopy(generator)
        change(changed)
        losses[name] = held_out_losses(changed, source, scale)
    return losses
