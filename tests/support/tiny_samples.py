"""Samples for every graph of a tiny checkpoint, in the format of ``quantize.calibration``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov

FAST = ("features", "phases", "rows", "roll", "band")
"""Inputs at the score frame rate."""


def write_tiny_samples(folder: Path, graphs: Path, count: int = 8, frames: int = 32) -> Path:
    """Write ``count`` samples of ``frames`` latent frames for each graph found in ``graphs``."""
    folder.mkdir(parents=True)
    for path in sorted(graphs.glob("*.xml")):
        rng = np.random.default_rng(7)
        arrays = {}
        for sample in range(count):
            for port in ov.Core().read_model(path).inputs:
                rows, free = port.partial_shape[1].get_length(), port.partial_shape[2].is_dynamic
                name = port.any_name
                time = (2 * frames if name in FAST else frames) if free else 1
                arrays[f"{sample:04d}/{name}"] = _drawn(rng, name, (1, rows, time))
        np.savez(folder / f"{path.stem}.npz", **arrays)
    return folder


def _drawn(rng: np.random.Generator, name: str, shape: tuple[int, int, int]) -> np.ndarray:
    if name in ("latent", "context", "tokens", "keys_values"):
        return rng.standard_normal(shape, np.float32)
    if name in ("known", "valid"):
        ones = shape[2] // 4 if name == "known" else shape[2] - 4
        return (np.arange(shape[2]) < ones).astype(np.float32).reshape(shape)
    if name == "style":
        return np.eye(shape[1], dtype=np.float32)[:, [rng.integers(shape[1])]][None]
    return rng.random(shape, np.float32)
