"""Reads samples of the graphs' inputs, from which the ranges of INT8 activations are chosen.

Format: one folder with ``GRAPH.npz`` for every graph (``denoiser.npz``). Its arrays are named
``SAMPLE/INPUT``, for example ``0007/timestep``: SAMPLE is any name (samples are sorted by it), INPUT a graph
input. Arrays are float32 with the shape of the input, batch included; samples may differ in length. Order
samples by song: the last quarter is held out to measure the INT8 graph and must not share songs with the
rest.

Arrays are read only when needed and cannot carry code (``allow_pickle=False``).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from appliance.errors import UsageError

MIN_SAMPLES = 4
HELD_OUT_INTERVAL = 4
"""One in this many samples is held out."""

Sample = dict[str, NDArray[np.float32]]


class Samples:
    """Samples of one graph's inputs, read from disk one at a time; can be iterated repeatedly."""

    def __init__(self, path: Path, inputs: Sequence[ov.Output], names: Sequence[str]) -> None:
        self._path = path
        self._inputs = tuple(inputs)
        self._names = tuple(names)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Sample]:
        with np.load(self._path, allow_pickle=False) as arrays:
            for name in self._names:
                yield {port.any_name: self._array(arrays, name, port) for port in self._inputs}

    def _array(self, arrays: np.lib.npyio.NpzFile, sample: str, port: ov.Output) -> NDArray[np.float32]:
        key = f"{sample}/{port.any_name}"
        try:
            array: NDArray[np.float32] = arrays[key]
        except (ValueError, zipfile.BadZipFile, EOFError) as error:
            reason = f"{key} cannot be read ({error})"
            raise UsageError(f"{self._path}: {reason}; write the samples again.") from error
        shape = port.partial_shape
        if array.dtype != np.float32 or not shape.compatible(ov.PartialShape(list(array.shape))):
            raise UsageError(
                f"{self._path}: {key} is {array.dtype} {array.shape}, the graph takes float32 {shape};"
                " write the samples again for these graphs."
            )
        if not np.isfinite(array).all():
            raise UsageError(f"{self._path}: {key} is not finite (NaN or infinity); write the samples again.")
        return array


def read_samples(folder: Path, graph: str, model: ov.Model) -> tuple[Samples, Samples]:
    """Samples of ``graph``: those for calibration, and those held out. ``model`` defines the inputs.

    Raises:
        UsageError: no readable file, fewer than MIN_SAMPLES samples, or other inputs than the graph's.
            Iterating raises it for an array of the wrong type or shape, or with NaN or infinity.
    """
    path = folder / f"{graph}.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            keys = list(arrays.files)
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"{path}: cannot be read ({reason}); write samples of every graph there.") from error
    except (ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise UsageError(f"{path}: not an .npz file of arrays ({error}); write the samples again.") from error
    found: dict[str, set[str]] = {}
    for key in keys:
        sample, _, name = key.rpartition("/")
        found.setdefault(sample, set()).add(name)
    wanted = {port.any_name for port in model.inputs}
    for sample, names in found.items():
        if names != wanted:
            odd = ", ".join(sorted(names ^ wanted))
            raise UsageError(
                f"{path}: sample {sample!r} lacks or adds {odd}; a sample needs each input of the graph once."
            )
    if len(found) < MIN_SAMPLES:
        raise UsageError(f"{path}: {len(found)} samples; at least {MIN_SAMPLES} are needed; record more.")
    order = sorted(found)
    split = len(order) - -(-len(order) // HELD_OUT_INTERVAL)
    return Samples(path, model.inputs, order[:split]), Samples(path, model.inputs, order[split:])
