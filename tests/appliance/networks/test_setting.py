"""Graph settings: the properties for OpenVINO, and float32 with a quantised graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as op
from pydantic import ValidationError

from appliance.networks.setting import GraphSetting
from appliance.packs.pack import load_pack
from appliance.tuning.workbench import Workbench


def quantised() -> ov.Model:
    """Quantises x (1, 2, T) to steps of 0.5 from 0 to 1, then doubles it."""
    x = op.parameter([1, 2, -1], np.float32, name="x")
    low, high = (op.constant(np.float32(value)) for value in (0.0, 1.0))
    stepped = op.fake_quantize(x, low, high, low, high, 3)
    weight = op.constant(2 * np.eye(2, dtype=np.float32)[..., None])
    return ov.Model([op.convolution(stepped, weight, [1], [0], [0], [1])], [x], "quantised")


def computed(setting: GraphSetting, x: float) -> float:
    model = quantised()
    setting.prepare(model)
    compiled = ov.Core().compile_model(model, "CPU", setting.config())
    return float(compiled(np.full((1, 2, 3), x, np.float32))[0][0, 0, 0])


def test_float32_skips_the_quantisers() -> None:
    assert computed(GraphSetting(threads=1), 0.3) == pytest.approx(1.0)
    assert computed(GraphSetting(precision="f32", threads=1), 0.3) == pytest.approx(0.6)


def test_bf16_is_used_only_on_request() -> None:
    assert GraphSetting(threads=3).config()["INFERENCE_PRECISION_HINT"] == "f32"
    assert GraphSetting(precision="f32", threads=3).config()["INFERENCE_PRECISION_HINT"] == "f32"
    assert GraphSetting(precision="bf16", threads=3).config()["INFERENCE_PRECISION_HINT"] == "bf16"
    assert GraphSetting(threads=3).config()["INFERENCE_NUM_THREADS"] == "3"


def test_the_cache_tells_every_setting_from_the_others() -> None:
    settings = [GraphSetting(precision=p, threads=n) for p in ("shipped", "f32", "bf16") for n in (1, 2)]
    assert len({str(sorted(setting.cache_config().items())) for setting in settings}) == len(settings)


def test_float32_is_offered_where_something_is_quantised(
    fake_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Workbench(load_pack(fake_pack), GraphSetting(threads=1))
    assert "f32" not in bench.precisions("denoiser")
    native = "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    assert ("bf16" in bench.precisions("denoiser")) == native
    path = Path(f"{fake_pack}-quantised.xml")
    ov.save_model(quantised(), path)
    monkeypatch.setattr("appliance.packs.pack.Pack.graph_path", lambda *_: path)
    assert "f32" in bench.precisions("denoiser")


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"threads": "2"}, {"threads": 1, "precision": "f16"}, {}])
def test_what_is_no_setting(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        GraphSetting.model_validate(wrong)
