"""Makes a checkpoint of runs: averaged weights, and the facts that a pack and its model card need."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open

from appliance.packs.dial_table import DIALS_NAME, read_table
from appliance.packs.originals import ORIGINALS_NAME
from appliance.packs.rhythm_bank import RHYTHMS_NAME
from train.arrange.drummer import attribution
from train.checkpoints.adopt import FACTS_NAME
from train.checkpoints.checkpoint import EXTRAS, SCHEMA, save_network
from train.checkpoints.chord_bias import biased
from train.checkpoints.fit_anchors import read_anchors
from train.corpus.ledger import LedgerRow, credits_of, rows_hash
from train.data.song_cache import CachedSong
from train.networks.denoiser import DenoiserConfig
from train.networks.planner import PlannerConfig
from train.networks.vae import VaeConfig
from train.training import curves
from train.training.student import student_config

CONFIGS = {"vae": VaeConfig(), "planner": PlannerConfig(), "denoiser": DenoiserConfig()}
OPTIONAL = {
    "student": student_config(DenoiserConfig()),
    **{name: config() for name, (config, _) in EXTRAS.items()},
}
"""Networks that are included if they were trained."""
LICENCE = "Apache-2.0"

LIMITS = (
    "The training data are art songs, hymns, carols and popular songs of the 18th to early 20th century and "
    "folk tunes with chord symbols, in arrangements of sixteen styles. Other music is accompanied in their "
    "idiom.",
    "It was trained on performances of scores by a simulated singer, not on real recordings.",
    "The beat tracker assumes one tempo and one meter per song; it follows free rubato poorly.",
    "It was trained for a few hours on two CPU cores. The effect of more training is unknown.",
)


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampler settings for the pack, chosen on validation songs. Lengths are in latent frames."""

    steps: int = 16
    guidance: float = 2.5
    shift: float = 1.0
    few_steps: bool = False
    window_frames: int = 256
    context_frames: int = 64


def assemble(
    runs: Path,
    rows: Sequence[LedgerRow],
    songs: Sequence[CachedSong],
    out: Path,
    sampling: Sampling,
    hardware: str,
) -> None:
    """Write the checkpoint folder ``out`` from the runs.

    Args:
        runs: the folder with the runs and the cache.
        rows: the ledger rows of the training songs.
        songs: the training songs.
        out: the checkpoint folder.
        sampling: sampler settings for the pack.
        hardware: hardware used for training, for the model card.
    """
    out.mkdir(parents=True, exist_ok=True)
    training: dict[str, Any] = {}
    trained = {n: c for n, c in OPTIONAL.items() if (runs / n / "state.safetensors").exists()}
    for name, config in {**CONFIGS, **trained}.items():
        weights, step = _averaged(runs / name / "state.safetensors")
        weights = biased(weights, runs / name) if name == "chords" else weights
        save_network(out / f"{name}.safetensors", weights, config)
        training[name] = _training_facts(runs / name, step, weights)
    if (runs / ORIGINALS_NAME).is_file():
        shutil.copyfile(runs / ORIGINALS_NAME, out / ORIGINALS_NAME)
    with np.load(runs / "cache" / "latent_statistics.npz", allow_pickle=False) as statistics:
        mean, std = statistics["mean"].tolist(), statistics["std"].tolist()
    sung = sum(float((song.voice[:, 1] - song.voice[:, 0]).sum()) for song in songs)
    anchors = {"fit": read_anchors(runs / "fit")} if "fit" in trained else {}
    facts = {
        "schema": SCHEMA,
        "latent_mean": mean,
        "latent_std": std,
        "sampler": {name: getattr(sampling, name) for name in Sampling.__slots__},
        **anchors,
        **_dials(runs / DIALS_NAME),
        **_rhythms(runs / RHYTHMS_NAME),
        "licence": LICENCE,
        "ledger_rows_sha256": rows_hash(rows),
        "credits": list(dict.fromkeys([*credits_of(rows), attribution()])),
        "data": {
            "songs": len(songs),
            "hours": round(sum(song.duration_s for song in songs) / 3600, 1),
            "sung_hours": round(sung / 3600, 1),
            "licences": sorted({row.licence for row in rows}),
        },
        "hardware": hardware,
        "training": training,
        "limits": list(LIMITS),
    }
    (out / "checkpoint.json").write_text(json.dumps(facts, indent=1) + "\n")


def _dials(path: Path) -> dict[str, Any]:
    """What a dial means in each style, if ``python -m train dials`` has measured it."""
    return {"dials": read_table(path).model_dump(by_alias=True)} if path.is_file() else {}


def _rhythms(path: Path) -> dict[str, Any]:
    """The phrases of the rhythm bank, if ``python -m train rhythms`` has chosen them."""
    return {"rhythms": json.loads(path.read_bytes())} if path.is_file() else {}


def _averaged(path: Path) -> tuple[dict[str, torch.Tensor], int]:
    with safe_open(path, framework="pt") as file:
        names = [name for name in file.keys() if name.startswith("ema.")]  # noqa: SIM118
        weights = {name.removeprefix("ema."): file.get_tensor(name) for name in names}
        return weights, int(json.loads(file.metadata()["step"]))


def _training_facts(run: Path, step: int, weights: dict[str, torch.Tensor]) -> dict[str, Any]:
    """Steps, minutes, parameters, and the last value of every column of the curve.

    Includes the training before the run was adopted.
    """
    rows = curves.read(run / "curve.csv")
    adopted = json.loads((run / FACTS_NAME).read_text()) if (run / FACTS_NAME).exists() else {}
    last: dict[str, float] = dict(adopted.get("losses", {}))
    minutes, before = float(adopted.get("minutes", 0.0)), 0.0
    for row in rows:
        last |= {k: round(v, 5) for k, v in row.items() if v == v and k not in ("step", "seconds")}
        minutes += (row["seconds"] - before if row["seconds"] >= before else row["seconds"]) / 60
        before = row["seconds"]
    return {
        "steps": step,
        "minutes": round(minutes, 1),
        "parameters": sum(w.numel() for w in weights.values()),
        "losses": last,
    }
