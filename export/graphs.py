"""The graphs of a checkpoint: each network with the final step that makes its output usable at run time.

Graphs output probabilities, not logits. Latents that enter or leave a graph are normalised, so the appliance
never needs their mean and standard deviation. Letters in shapes: B batch, T score frames, N = T/2 latent
frames, Z latent channels, S styles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from appliance.grid import FRAME_SAMPLES, FRAMES_PER_LATENT
from appliance.music.roll import ROLL_ROWS
from appliance.networks.band_rows import BAND_ROWS
from appliance.networks.chord_rows import CIRCLE_ROWS, SLOT_ROWS
from appliance.networks.condition_rows import PHASE_ROWS
from appliance.networks.log_frequency import SPECTRUM_ROWS
from appliance.playing.source_filter import DECODER_ROWS, HOP_SAMPLES
from appliance.vocal.features import FEATURE_ROWS
from train.checkpoints.checkpoint import Checkpoint, CheckpointError
from train.networks.attention import LOCAL_BLOCK
from train.networks.audio_decoder import GROUP_ROWS, AudioDecoderConfig
from train.networks.audio_encoder import AudioEncoderConfig
from train.networks.chords import ChordNetwork
from train.networks.planner import Planner
from train.networks.vae import RollDecoder, RollEncoder

MATMULS_PER_BLOCK = 6
"""Query-key and attention-value products of three attentions: self, near and wide. Token-wise layers are
convolutions."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input (B, rows, time) with ``per_latent`` time steps per latent frame; 0 means a single time
    step."""

    name: str
    rows: int
    per_latent: int = 1

    def shape(self, batch: int, frames: int) -> tuple[int, int, int]:
        """Shape of the input for ``frames`` latent frames."""
        return batch, self.rows, self.per_latent * frames or 1


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph to export: a module in eval mode and the names of its inputs and outputs."""

    name: str
    module: nn.Module
    inputs: tuple[Port, ...]
    outputs: tuple[str, ...]
    free_batch: bool = False
    matmuls: int = 0
    """Number of products of two activations. A larger count means that a linear layer was not written as a
    convolution."""

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(p.numel() for p in self.module.parameters())


class PlannerGraph(nn.Module):
    """The planner with probabilities as outputs."""

    def __init__(self, planner: Planner) -> None:
        super().__init__()
        self.planner = planner

    def forward(self, features: Tensor, phases: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features (1, 64, T), phases (1, 5, T) -> plan (1, 24, T/4), key (1, 24), beats (1, 2, T)."""
        plan, key, beats = self.planner(features, phases)
        return plan.sigmoid(), key.softmax(dim=-1), beats.sigmoid()


class _Scaled(nn.Module):
    """Base class that holds mean and standard deviation of the latents as (1, Z, 1)."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: list[float], std: list[float]) -> None:
        super().__init__()
        for name, values in (("mean", mean), ("std", std)):
            self.register_buffer(name, torch.tensor(values, dtype=torch.float32).reshape(1, -1, 1))


class DecoderGraph(_Scaled):
    """The score VAE's decoder: normalised latent -> roll probabilities."""

    def __init__(self, decoder: RollDecoder, mean: list[float], std: list[float]) -> None:
        super().__init__(mean, std)
        self.decoder = decoder

    def forward(self, latent: Tensor) -> Tensor:
        """(1, Z, N) -> (1, ROLL_ROWS, T)."""
        roll: Tensor = self.decoder(latent * self.std + self.mean).sigmoid()
        return roll


class EncoderGraph(_Scaled):
    """The score VAE's encoder: roll -> normalised mean of its latent."""

    def __init__(self, encoder: RollEncoder, mean: list[float], std: list[float]) -> None:
        super().__init__(mean, std)
        self.encoder = encoder

    def forward(self, roll: Tensor) -> Tensor:
        """(1, ROLL_ROWS, T) -> (1, Z, N)."""
        mean, _ = self.encoder(roll)
        latent: Tensor = (mean - self.mean) / self.std
        return latent


class AudioEncoderGraph(nn.Module):
    """The audio encoder with probabilities as output."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, spectrum: Tensor, style: Tensor) -> Tensor:
        """Spectrum (1, SPECTRUM_ROWS, T), style (1, S, 1) -> (1, ROLL_ROWS, T)."""
        roll: Tensor = self.encoder(spectrum, style).sigmoid()
        return roll


class ChordGraph(nn.Module):
    """The chord network, with its table of steps as an output beside the scores."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        table = cast(ChordNetwork, network).transitions().detach()
        self.table = nn.Buffer(table.unsqueeze(0))  # the same for every song, so it is computed here

    def forward(self, slots: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Rows (1, SLOT_ROWS, M) of M slots -> chords (1, C, M), change (1, 1, M), bass (1, 144, M), table
        (1, C, C); C = CHORD_STATES."""
        circle = slots[:, : 12 * CIRCLE_ROWS].unflatten(1, (CIRCLE_ROWS, 12))
        chords, change, bass = self.network(circle, slots[:, 12 * CIRCLE_ROWS :])
        return chords, change.unsqueeze(1), bass.flatten(1, 2), self.table.clone()


def graphs_of(checkpoint: Checkpoint, mean: list[float], std: list[float]) -> tuple[Graph, ...]:
    """The graphs of a checkpoint; ``mean`` and ``std`` (Z,) normalise its latents.

    Raises:
        CheckpointError: its networks and statistics disagree about the number of latent channels.
    """
    generator, vae = checkpoint.generator, checkpoint.vae
    latents, config = vae.config.latents, generator.config
    if not len(mean) == latents == config.latents:
        raise CheckpointError(
            f"the score VAE has {latents} latents, the denoiser {config.latents} and the statistics "
            f"{len(mean)}; take all three from one training"
        )
    style = Port("style", config.style_rows, 0)
    tokens = Port("tokens", config.width)
    keys_values = Port("keys_values", sum(config.key_value_rows) * config.blocks)
    per_score = FRAMES_PER_LATENT
    noisy = (Port("latent", latents), Port("context", latents), Port("known", 1), Port("timestep", 1, 0))
    few_steps = (Port("stride", 1, 0),) if config.few_steps else ()
    roll = (Port("roll", ROLL_ROWS, per_score),)
    return (
        Graph(
            "planner",
            PlannerGraph(checkpoint.planner),
            (Port("features", FEATURE_ROWS, per_score), Port("phases", PHASE_ROWS, per_score)),
            ("plan", "key", "beats"),
        ),
        Graph(
            "condition",
            generator.condition,
            (Port("rows", config.rows, per_score), style),
            ("tokens", "keys_values"),
            free_batch=True,
        ),
        Graph(
            "denoiser",
            generator.denoiser,
            (*noisy, tokens, keys_values, style, Port("valid", 1), *few_steps),
            ("velocity",),
            free_batch=True,
            matmuls=MATMULS_PER_BLOCK * config.blocks,
        ),
        Graph("vae_decoder", DecoderGraph(vae.decoder, mean, std), (Port("latent", latents),), ("roll",)),
        Graph("vae_encoder", EncoderGraph(vae.encoder, mean, std), roll, ("latent",)),
        *_audio_graphs(checkpoint.extras),
        *_fit_graph(checkpoint.extras),
        *_chord_graph(checkpoint.extras),
    )


def _fit_graph(extras: dict[str, nn.Module]) -> Iterator[Graph]:
    if (network := extras.get("fit")) is not None:
        rows = {"features": FEATURE_ROWS, "phases": PHASE_ROWS, "band": BAND_ROWS}
        ports = (Port(name, count, FRAMES_PER_LATENT) for name, count in rows.items())
        yield Graph("fit", network, tuple(ports), ("log_odds",))


def _chord_graph(extras: dict[str, nn.Module]) -> Iterator[Graph]:
    if (network := extras.get("chords")) is not None:
        slots = Port("slots", SLOT_ROWS)
        yield Graph("chords", ChordGraph(network), (slots,), ("scores", "change", "bass", "table"))


def _audio_graphs(extras: dict[str, nn.Module]) -> Iterator[Graph]:
    if (decoder := extras.get("audio_decoder")) is not None:
        rows = Port("rows", DECODER_ROWS, FRAMES_PER_LATENT * FRAME_SAMPLES // HOP_SAMPLES)
        inputs = (rows, _style_port(decoder), Port("group", GROUP_ROWS, 0))
        yield Graph("audio_decoder", decoder, inputs, ("gains",))
    if (encoder := extras.get("audio_encoder")) is not None:
        spectrum = Port("spectrum", SPECTRUM_ROWS, FRAMES_PER_LATENT)
        yield Graph("audio_encoder", AudioEncoderGraph(encoder), (spectrum, _style_port(encoder)), ("roll",))


def _style_port(network: nn.Module) -> Port:
    config = cast(AudioDecoderConfig | AudioEncoderConfig, network.config)
    return Port("style", config.style_rows, 0)


def example(graph: Graph, batch: int, frames: int, seed: int) -> tuple[Tensor, ...]:
    """Random inputs that look like those of a render, in the order of ``graph.inputs``.

    The first quarter of the ``frames`` latent frames is known, the last few lie past the end of the song.

    Raises:
        ValueError: ``frames`` is not a multiple of LOCAL_BLOCK.
    """
    if frames % LOCAL_BLOCK:
        raise ValueError(f"{frames} latent frames are not a multiple of {LOCAL_BLOCK}")
    random = torch.Generator().manual_seed(seed)
    drawn = []
    for port in graph.inputs:
        shape = port.shape(batch, frames)
        if port.name in ("latent", "context", "tokens", "keys_values"):
            x = torch.randn(shape, generator=random)
        else:
            x = torch.rand(shape, generator=random)
        if port.name == "style":
            x = (x == x.amax(dim=1, keepdim=True)).float()
        elif port.name == "known":
            x = (torch.arange(frames) < frames // 4).float().expand(shape).clone()
        elif port.name == "valid":
            ends = torch.tensor([frames - 3 - 2 * b for b in range(batch)]).reshape(batch, 1, 1)
            x = (torch.arange(frames) < ends).float()
        elif port.name == "roll":
            x = x * (x > 0.9)
        drawn.append(x)
    return tuple(drawn)
