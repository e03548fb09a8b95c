"""Signal-to-noise ratio (SNR) of a graph's outputs against a reference graph, on held-out samples."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import openvino as ov

from quantize.calibration import Sample


def snr_db(reference: ov.Model, model: ov.Model, samples: Iterable[Sample]) -> dict[str, float]:
    """SNR by output in dB: 10·log10 of the reference's energy over the difference's; inf where equal."""
    core = ov.Core()
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    wanted, found = (core.compile_model(m, "CPU", exact) for m in (reference, model))
    names = [port.any_name for port in reference.outputs]
    signal, noise = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for sample in samples:
        expected, got = wanted(sample), found(sample)
        for name in names:
            x = expected[name].astype(np.float64)
            signal[name] += float(np.square(x).sum())
            noise[name] += float(np.square(got[name] - x).sum())
    return {name: _ratio_db(signal[name], noise[name]) for name in names}


def _ratio_db(signal: float, noise: float) -> float:
    if noise == 0.0:
        return math.inf
    return 10.0 * math.log10(signal / noise) if signal > 0.0 else -math.inf
