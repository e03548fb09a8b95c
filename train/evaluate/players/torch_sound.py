"""The audio networks in torch, with the interface of :class:`appliance.networks.graphs.Graphs`.

With them, the code that plays packs can judge checkpoints and runs in training. Letters as there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from appliance.music.score import STYLES
from appliance.networks.condition_rows import known_style_rows
from appliance.networks.graphs import Graphs
from appliance.packs.manifest import MANIFEST_NAME
from appliance.packs.pack import load_pack
from train.checkpoints.checkpoint import EXTRAS, CheckpointError, load_checkpoint
from train.evaluate.players.torch_graphs import latent_statistics
from train.networks.vae import ScoreVae, VaeConfig
from train.training.state import load_ema

Array = NDArray[np.float32]
AUDIO = ("audio_decoder", "audio_encoder")


class SoundGraphs(Protocol):
    """The graphs that turn notes into audio and back."""

    def gains(self, rows: Array, style: Array, group: Array) -> Array: ...
    def hear(self, spectrum: Array, style: Array) -> Array: ...
    def encode(self, roll: Array) -> Array: ...
    def decode(self, latent: Array) -> Array: ...


class TorchSound:
    """The score VAE and the audio networks; ``mean`` and ``std`` (Z,) normalise its latents."""

    def __init__(self, vae: ScoreVae, audio: dict[str, Any], mean: Array, std: Array) -> None:
        self._vae, self._audio = vae.eval(), {name: network.eval() for name, network in audio.items()}
        self._mean, self._std = (torch.as_tensor(x).float().reshape(1, -1, 1) for x in (mean, std))

    @torch.no_grad()
    def gains(self, rows: Array, style: Array, group: Array) -> Array:
        told = known_style_rows(style, self._audio["audio_decoder"].config.style_rows)
        found: Tensor = self._audio["audio_decoder"](*map(_batched, (rows, told, group)))
        return found[0].numpy()

    @torch.no_grad()
    def hear(self, spectrum: Array, style: Array) -> Array:
        told = known_style_rows(style, self._audio["audio_encoder"].config.style_rows)
        logits: Tensor = self._audio["audio_encoder"](_batched(spectrum), _batched(told))
        return logits.sigmoid()[0].numpy()

    @torch.no_grad()
    def encode(self, roll: Array) -> Array:
        mean, _ = self._vae.encoder(_batched(roll))
        return ((mean - self._mean) / self._std)[0].numpy()

    @torch.no_grad()
    def decode(self, latent: Array) -> Array:
        roll: Tensor = self._vae.decoder(_batched(latent) * self._std + self._mean).sigmoid()
        return roll[0].numpy()


def open_sound(folder: Path) -> SoundGraphs:
    """Open the audio networks of the pack, the checkpoint or the runs in ``folder``.

    Raises:
        PackError, CheckpointError: files are missing or damaged, or there are no audio networks.
    """
    if (folder / MANIFEST_NAME).is_file():
        pack = load_pack(folder)
        missing = [name for name in AUDIO if name not in pack.manifest.graphs.present()]
        if missing:
            raise CheckpointError(
                f"{folder}: the pack has no {missing[0]}; give another pack or a checkpoint"
            )
        return Graphs(pack, torch.get_num_threads())
    if (folder / "checkpoint.json").is_file():
        stored = load_checkpoint(folder)
        missing = [name for name in AUDIO if name not in stored.extras]
        if missing:
            raise CheckpointError(f"{folder}: the checkpoint has no {missing[0]}; train it first")
        mean, std = (np.array(stored.facts[f"latent_{name}"], np.float32) for name in ("mean", "std"))
        return TorchSound(stored.vae, stored.extras, mean, std)
    vae, audio = ScoreVae(VaeConfig()), {}
    for name in AUDIO:
        config, network = EXTRAS[name]
        audio[name] = network(config())
    for name, module in (("vae", vae), *audio.items()):
        state = folder / name / "state.safetensors"
        if not state.is_file():
            raise CheckpointError(f"{state}: missing; give a pack, a checkpoint, or runs with {name}")
        load_ema(state, module)
    return TorchSound(vae, audio, *latent_statistics(folder / "cache"))


def styles_of(folder: Path) -> tuple[str, ...]:
    """The styles of the pack, the checkpoint or the runs in ``folder``."""
    if (folder / MANIFEST_NAME).is_file():
        return load_pack(folder, verify=False).manifest.styles
    if (folder / "checkpoint.json").is_file():
        return STYLES[: load_checkpoint(folder).generator.config.style_rows - 1]
    return STYLES


def _batched(rows: Array) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(rows, np.float32))[None]
