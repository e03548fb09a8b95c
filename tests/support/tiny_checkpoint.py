"""A checkpoint with tiny networks and random weights, for tests of export and quantisation."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from train.checkpoints.checkpoint import save_network
from train.networks.denoiser import DenoiserConfig
from train.networks.generator import Generator
from train.networks.planner import Planner, PlannerConfig
from train.networks.vae import ScoreVae, VaeConfig

VAE = VaeConfig(fine=8, coarse=8, temporal=16, drum=8)
PLANNER = PlannerConfig(harmony=8, harmony_dilations=(1, 2), beat=8, beat_dilations=(1, 4))
DENOISER = DenoiserConfig(width=32, blocks=2, heads=2, condition_blocks=1, time_features=16)


def tiny_facts(latents: int = 64) -> dict[str, Any]:
    """A ``checkpoint.json`` as training writes it."""
    return {
        "schema": 1,
        "latent_mean": [0.01 * i for i in range(latents)],
        "latent_std": [0.5 + 0.01 * i for i in range(latents)],
        "sampler": {"steps": 4, "guidance": 2.0, "window_frames": 64, "context_frames": 16},
        "ledger_rows_sha256": hashlib.sha256(b"rows").hexdigest(),
        "licence": "Apache-2.0",
        "hours": 1.5,
        "hardware": "two cores",
        "steps": {"vae": 1, "planner": 2, "denoiser": 3},
    }


def write_tiny_checkpoint(
    folder: Path,
    vae: VaeConfig = VAE,
    planner: PlannerConfig = PLANNER,
    denoiser: DenoiserConfig = DENOISER,
    seed: int = 1,
) -> Path:
    """Write the checkpoint into ``folder``; no weight is zero, so every path through it counts."""
    folder.mkdir(parents=True)
    torch.manual_seed(seed)
    networks = {"vae": ScoreVae(vae), "planner": Planner(planner), "denoiser": Generator(denoiser)}
    for name, network in networks.items():
        _awaken(network)
        save_network(folder / f"{name}.safetensors", network.state_dict(), network.config)
    (folder / "checkpoint.json").write_text(json.dumps(tiny_facts(vae.latents)))
    return folder


def _awaken(network: nn.Module) -> None:
    """Layers that start at zero (gates, last layers) get weights of an ordinary size."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d):
            fan_in = layer.weight[0].numel()
            if layer.weight.abs().max() < 0.5 * fan_in**-0.5:
                nn.init.normal_(layer.weight, std=0.5 * fan_in**-0.5)
            if layer.bias is not None:
                nn.init.normal_(layer.bias, std=0.05)
