"""Samples of what goes into the graphs: from them come the ranges of the INT8 activations.

Format: one folder with ``GRAPH.npz`` for every graph (``denoiser.npz``). Its arrays are named
``SAMPLE/INPUT``, for example ``0007/timestep``, where SAMPLE is any name (samples are taken in the order
of their names) and INPUT a graph input. Arrays are float32 with the shape the graph takes, batch
included; samples may differ in length. Samples should be ordered by song: the last quarter is held out
to measure the INT8 graph, and must not share songs with the rest.

No array is read before it is needed, and none may carry code (``allow_pickle=False``).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from appliance.errors import UsageError

FEWEST_SAMPLES = 4
HELD_OUT_SHARE = 4
"""One sample in so many is held out."""

Sample = dict[str, NDArray[np.float32]]


class Samples:
    """Samples of one graph's inputs, read one at a time; a sequence that can be iterated again."""

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
                f"{self._path}: {key} is {array.dtype} {array.shape}, the graph takes float32 {shape}."
            )
        if not np.isfinite(array).all():
            raise UsageError(f"{self._path}: {key} is not finite; write the samples again.")
        return array


def read_samples(folder: Path, graph: str, model: ov.Model) -> tuple[Samples, Samples]:
    """Samples of ``graph`` (``model`` tells its inputs): to calibrate with, and held out.

    Raises:
        UsageError: no file, fewer than FEWEST_SAMPLES, or inputs other than the graph's. Arrays of the
            wrong type or shape, or not finite, are named when the samples are iterated.
    """
    path = folder / f"{graph}.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            keys = list(arrays.files)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error}).") from error
    except (ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise UsageError(f"{path}: not an .npz file of arrays ({error}).") from error
    found: dict[str, set[str]] = {}
    for key in keys:
        sample, _, name = key.rpartition("/")
        found.setdefault(sample, set()).add(name)
    wanted = {port.any_name for port in model.inputs}
    for sample, names in found.items():
        if names != wanted:
            odd = ", ".join(sorted(names ^ wanted))
            raise UsageError(f"{path}: sample {sample!r} lacks or adds {odd}; it must give every input once.")
    if len(found) < FEWEST_SAMPLES:
        raise UsageError(f"{path}: {len(found)} samples; at least {FEWEST_SAMPLES} are needed.")
    order = sorted(found)
    split = len(order) - -(-len(order) // HELD_OUT_SHARE)
    return Samples(path, model.inputs, order[:split]), Samples(path, model.inputs, order[split:])
