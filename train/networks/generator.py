"""Condition encoder and denoiser as one network, whose weights a checkpoint stores together."""

from __future__ import annotations

from torch import nn

from train.networks.denoiser import ConditionEncoder, Denoiser, DenoiserConfig


class Generator(nn.Module):
    """Condition encoder and denoiser: trained together, exported separately."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.config = config
        self.condition = ConditionEncoder(config)
        self.denoiser = Denoiser(config)
