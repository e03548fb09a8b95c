"""Writes and reads a checkpoint: a folder with averaged weights and the facts of their training.

``vae.safetensors``, ``planner.safetensors`` and ``denoiser.safetensors`` (condition encoder and velocity
network) hold weights. ``student.safetensors`` (the same, distilled to few steps) and the networks of EXTRAS
are optional. The metadata of each file holds the network's configuration as JSON. ``checkpoint.json`` holds
latent statistics, sampler settings, steps, losses and the hash of the ledger rows.

Only safetensors are read, because opening a pickle can run any program.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from appliance.networks.condition_rows import FIRST_CONDITION_ROWS
from train.networks.audio_decoder import AudioDecoder, AudioDecoderConfig
from train.networks.audio_encoder import AudioEncoder, AudioEncoderConfig
from train.networks.chords import ChordConfig, ChordNetwork
from train.networks.denoiser import DenoiserConfig
from train.networks.fit import FitConfig, FitNet
from train.networks.generator import Generator
from train.networks.planner import Planner, PlannerConfig
from train.networks.vae import ScoreVae, VaeConfig

SCHEMA = 1
NETWORKS = ("vae", "planner", "denoiser")
"""Networks that every checkpoint has."""

EXTRAS: dict[str, tuple[Any, Any]] = {
    "audio_decoder": (AudioDecoderConfig, AudioDecoder),
    "audio_encoder": (AudioEncoderConfig, AudioEncoder),
    "fit": (FitConfig, FitNet),
    "chords": (ChordConfig, ChordNetwork),
}
"""Optional networks: types of configuration and network, by name."""

STYLE_ROWS_BEFORE = 9
"""Style rows of networks whose configuration does not say: they know eight styles."""

PICKLES = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle")

Config = TypeVar("Config")


class CheckpointError(Exception):
    """A checkpoint cannot be used; the text says which file and why."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The networks of a checkpoint folder, in eval mode, and its ``checkpoint.json``."""

    vae: ScoreVae
    planner: Planner
    generator: Generator
    """The network for the pack: the student if there is one, otherwise the denoiser."""
    facts: dict[str, Any]
    extras: dict[str, nn.Module] = field(default_factory=dict)
    """The networks of EXTRAS that were trained."""


def save_network(path: Path, weights: dict[str, Tensor], config: object) -> None:
    """Store weights as float16 with the network's configuration in the metadata."""
    halves = {name: w.detach().to(torch.float16).contiguous() for name, w in weights.items()}
    save_file(halves, path, metadata={"config": json.dumps(asdict(config))})  # type: ignore[call-overload]


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint folder.

    Raises:
        CheckpointError: a file is missing, damaged, of another schema, or not safetensors.
    """
    refuse_pickles(folder)
    facts_path = folder / "checkpoint.json"
    if not facts_path.is_file():
        raise CheckpointError(f"{folder}: no checkpoint.json there; give the folder of a checkpoint")
    facts = json.loads(facts_path.read_text())
    if facts.get("schema") != SCHEMA:
        found = facts.get("schema")
        raise CheckpointError(
            f"{facts_path}: schema {found}, this version reads {SCHEMA}; use the version that wrote it"
        )
    vae = _network(folder / "vae.safetensors", VaeConfig, ScoreVae)
    planner = _network(folder / "planner.safetensors", PlannerConfig, Planner)
    student = folder / "student.safetensors"
    chosen = student if student.is_file() else folder / "denoiser.safetensors"
    generator = _network(chosen, DenoiserConfig, Generator)
    extras = {
        name: _network(path, *types)
        for name, types in EXTRAS.items()
        if (path := folder / f"{name}.safetensors").is_file()
    }
    return Checkpoint(vae, planner, generator, facts, extras)


def refuse_pickles(path: Path) -> None:
    """Reject a pickle, or a folder that holds one.

    Raises:
        CheckpointError: there is a pickle; the text says how to convert it.
    """
    candidates = [path] if path.is_file() else sorted(path.glob("*")) if path.is_dir() else []
    for file in candidates:
        if file.suffix in PICKLES or (file.is_file() and _looks_pickled(file)):
            raise CheckpointError(
                f"{file}: a pickle; it is rejected because opening it can run any program hidden in it. "
                "If you trust it, convert it: load it with torch.load(..., weights_only=True) and write the "
                "tensors with safetensors.torch.save_file."
            )


def _looks_pickled(file: Path) -> bool:
    with file.open("rb") as stream:
        head = stream.read(9)
    if file.suffix == ".safetensors" and head[8:] == b"{":
        return False  # the eight bytes are the length of the header, which may look like a pickle's protocol
    return head[:1] == b"\x80" or (head[:4] == b"PK\x03\x04" and file.suffix not in (".npz", ".mxl"))


def _network(path: Path, config_type: type[Config], network: Any) -> Any:
    if not path.is_file():
        names = ", ".join(NETWORKS)
        raise CheckpointError(f"{path}: missing; a checkpoint needs {names} as safetensors; copy it again")
    try:
        with safe_open(path, framework="pt") as file:
            stored = json.loads(file.metadata()["config"])
            weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(
            f"{path}: not a Backline network in safetensors ({error}); copy the checkpoint again"
        ) from error
    if not set(stored) <= {f.name for f in fields(config_type)}:  # type: ignore[arg-type]
        raise CheckpointError(
            f"{path}: its configuration is of another version; use the version that wrote it"
        )
    if "style_rows" in {f.name for f in fields(config_type)}:  # type: ignore[arg-type]
        stored.setdefault("style_rows", STYLE_ROWS_BEFORE)
    if config_type is DenoiserConfig:
        stored.setdefault("rows", FIRST_CONDITION_ROWS)  # of checkpoints that do not tell
    tuples = {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items()}
    model = network(config_type(**tuples))
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(
            f"{path}: its weights do not match its configuration ({error}); copy the checkpoint again"
        ) from error
    return model.eval()
