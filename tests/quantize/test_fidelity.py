"""The SNR of INT8 graphs, against closed forms and a second computation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.quantised import CORE, read, report_of, scaled

from appliance.packs.pack import Pack
from quantize.calibration import read_samples
from quantize.fidelity import snr_db


def test_what_is_lost_is_measured(pack: Pack, graphs: Path, samples: Path) -> None:
    report = report_of(pack)
    assert report["precision"] == "int8"
    reference, shipped = CORE.read_model(graphs / "condition.xml"), read(pack, "condition")
    _, held_out = read_samples(samples, "condition", reference)
    noise = signal = 0.0
    for sample in held_out:
        wanted, got = (CORE.compile_model(m, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(sample)["tokens"]
                       for m in (reference, shipped))  # fmt: skip
        signal, noise = signal + float((wanted**2).sum()), noise + float(((got - wanted) ** 2).sum())
    written = report["graphs"]["condition"]["snr_db"]["tokens"]
    assert written == pytest.approx(10 * np.log10(signal / noise), abs=0.05)
    for graph in report["graphs"].values():
        assert graph["calibration_samples"] == 6
        assert graph["held_out_samples"] == 2
        assert all(20 < snr < 80 for snr in graph["snr_db"].values())
        assert graph["bytes"] < graph["fp32_bytes"]


def test_snr_of_a_known_error() -> None:
    samples = [{"x": np.full((1, 2, n), n, np.float32)} for n in (3, 5)]
    assert snr_db(scaled(1.0), scaled(1.01), samples)["y"] == pytest.approx(40, abs=0.01)
    assert snr_db(scaled(1.0), scaled(0.5), samples)["y"] == pytest.approx(20 * np.log10(2), abs=0.01)
    assert snr_db(scaled(2.0), scaled(2.0), samples)["y"] == np.inf
