"""Exactly the intended layers are INT8: counted in the pack's graphs and in the compiled ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as op
from support.quantised import CORE, read, report_of

from appliance.doctor.pack import check_kernels
from appliance.errors import BacklineError, UsageError
from appliance.networks.kernel_count import count_kernels
from appliance.packs.pack import Pack
from quantize.calibration import read_samples
from quantize.coverage import WEIGHTED, coverage
from quantize.exported import NEEDED
from quantize.int8 import FLOAT_LAYERS, check_coverage, quantise
from quantize.ir import save_graph


@pytest.mark.parametrize("graph", NEEDED)
def test_layers_are_int8_and_nothing_else_is(pack: Pack, graphs: Path, graph: str) -> None:
    """Counts forwards, from each FakeQuantize to its consumers; the report counts backwards."""
    model = read(pack, graph)
    fed = {kind for node in model.get_ops() if node.get_type_name() == "FakeQuantize"
           for kind in consumers(node)}  # fmt: skip
    assert fed
    assert fed <= {*WEIGHTED, "ShapeOf"}
    before = [n.get_friendly_name() for n in CORE.read_model(graphs / f"{graph}.xml").get_ops()
              if n.get_type_name() in WEIGHTED]  # fmt: skip
    found = report_of(pack)["graphs"][graph]
    assert found["layers"] == len(before)
    assert set(found["float_layers"]) == set(FLOAT_LAYERS.get(graph, ()))
    assert found["int8"] == len(before) - len(found["float_layers"])
    assert found["matmuls"] == sum(n.get_type_name() == "MatMul" for n in model.get_ops())
    kept = [n.input_value(1).get_node() for n in model.get_ops() if n.get_type_name() in WEIGHTED]
    kept_weights = sum(w.get_data().size for w in kept if w.get_type_name() == "Constant")
    weights = [n.get_data() for n in model.get_ops()
               if n.get_type_name() == "Constant" and n.get_element_type() == ov.Type.i8]  # fmt: skip
    biases = found["parameters"] - sum(w.size for w in weights) - kept_weights
    assert 0 < biases < 0.1 * found["parameters"]  # every weight is a byte; biases stay float
    # 7 bits, because sums saturate on CPUs without VNNI: 255 · 64 · 2 < 2^15 <= 255 · 127 · 2.
    # Depthwise layers (groups, 1, 1, taps) do not add products of two channels.
    summed = [w for w in weights if w.shape[1:-1] != (1, 1)]
    assert max(int(np.abs(w.astype(int)).max()) for w in summed) <= 64


def consumers(node: ov.Node) -> set[str]:
    """Types of the operations that ``node`` feeds, directly or through data movement."""
    kinds = set()
    for output in node.outputs():
        for target in output.get_target_inputs():
            kind = target.get_node().get_type_name()
            moves = kind in ("Reshape", "Concat", "Transpose", "Slice", "Split", "VariadicSplit", "Unsqueeze")
            kinds |= consumers(target.get_node()) if moves else {kind}
    return kinds


def test_the_denoisers_attention_stays_float(pack: Pack) -> None:
    found = coverage(read(pack, "denoiser"))
    assert (found.layers, found.int8, found.matmuls, found.int8_matmuls) == (22, 20, 12, 0)


def test_the_processor_runs_them_as_int8(pack: Pack) -> None:
    """Counts the kernels of the compiled graph, at a fixed window as in the appliance."""
    model = read(pack, "denoiser")
    model.reshape({p: [2, *[d.get_length() if d.is_static else 64 for d in list(p.partial_shape)[1:]]]
                   for p in model.inputs})  # fmt: skip
    count = count_kernels(CORE.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}))
    assert count.layers >= 20
    assert count.int8_share >= 0.9
    assert check_kernels(pack.folder).status == "ok"


def layer(between: str = "", weights: str = "i8", levels: int = 256) -> ov.Model:
    """One convolution behind a FakeQuantize, with an operation between them or other weights."""
    x = op.parameter([1, 4, 8], np.float32, name="x")
    low, high = op.constant(np.float32(-1)), op.constant(np.float32(1))
    y = op.fake_quantize(x, low, high, low, high, levels)
    if between == "Add":
        y = op.add(y, op.constant(np.float32(1)))
    elif between == "Reshape":
        y = op.reshape(y, op.constant(np.array([1, 4, 8])), False)
    elif between == "half a Concat":
        y = op.concat([y, op.relu(x)], 2)
    kernel = np.ones((4, 4, 1), np.int8 if weights == "i8" else np.float32)
    w = op.constant(kernel)
    if weights == "i8":
        w = op.multiply(op.convert(w, "f32"), op.constant(np.float32(0.1)))
    return ov.Model([op.result(op.convolution(y, w, [1], [0], [0], [1]))], [x], "layer")


@pytest.mark.parametrize(
    ("model", "int8"),
    [
        (layer(), 1),
        (layer("Reshape"), 1),
        (layer("Add"), 0),
        (layer("half a Concat"), 0),
        (layer(weights="f32"), 0),
        (layer(levels=65536), 0),
    ],
)
def test_what_counts_as_int8(model: ov.Model, int8: int) -> None:
    found = coverage(model)
    assert (found.layers, found.int8, len(found.float_layers)) == (1, int8, 1 - int8)


def test_a_pass_that_skips_layers_fails(graphs: Path) -> None:
    untouched = coverage(CORE.read_model(graphs / "denoiser.xml"))
    assert untouched.layers > 20
    with pytest.raises(BacklineError, match=r"denoiser: only 0 of 22 .* blocks.0/qkv"):
        check_coverage("denoiser", untouched)


def test_attention_as_int8_fails() -> None:
    x = op.parameter([4, 4], np.float32, name="x")
    one = op.constant(np.float32(1))
    y = op.fake_quantize(x, op.negative(one), one, op.negative(one), one, 256)
    model = ov.Model([op.result(op.matmul(x, y, False, False))], [x], "attention")
    with pytest.raises(BacklineError, match="1 attention products became INT8"):
        check_coverage("denoiser", coverage(model))


def test_named_layers_stay_float_and_bytes_repeat(graphs: Path, samples: Path, tmp_path: Path) -> None:
    path = graphs / "condition.xml"
    used, _ = read_samples(samples, "condition", CORE.read_model(path))
    for turn in "ab":
        model = quantise(CORE.read_model(path), used, ["rows_in", "mlps.*/near"])
        save_graph(model, tmp_path / turn / "condition.xml")
    found = coverage(CORE.read_model(tmp_path / "a" / "condition.xml"))
    assert set(found.float_layers) == {"rows_in", "mlps.0/near"}
    for ending in ("xml", "bin"):
        first, second = ((tmp_path / turn / f"condition.{ending}").read_bytes() for turn in "ab")
        assert first == second
        assert str(graphs).encode() not in first
    with pytest.raises(UsageError, match=r"No layer is called rows; choose one of .*rows_in"):
        quantise(CORE.read_model(path), used, ["rows"])


def test_nncf_cannot_report_home() -> None:
    """Runs in its own interpreter, because under pytest NNCF sends nothing anyway."""
    script = """
import importlib.util, sys
calls = []
sys.addaudithook(lambda event, _: calls.append(event) if event.startswith("socket.") else None)
import quantize.int8
quantize.int8._nncf()
from nncf.telemetry.wrapper import telemetry, NNCFTelemetryStub
assert isinstance(telemetry, NNCFTelemetryStub), telemetry
assert sys.modules["openvino_telemetry"] is None
assert "pytest" not in sys.modules
reached = [call for call in calls if call in ("socket.connect", "socket.getaddrinfo", "socket.sendto")]
assert not reached, reached
print("silent")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip().endswith("silent"), done.stderr
