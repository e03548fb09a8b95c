"""The bench's counts: operations against closed forms, kernels, reorders and forward passes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import soundfile
from openvino import opset13 as op

from appliance.composing.windows import song_windows
from appliance.grid import FRAME_SAMPLES, FRAMES_PER_LATENT, SAMPLE_RATE_HZ
from appliance.networks.kernel_count import count_kernels
from appliance.packs.pack import load_pack
from appliance.rendering.engine import Engine
from appliance.rendering.job import RenderJob
from appliance.rendering.render import render
from appliance.system.cpu import GENERATIONS, read_cpu
from bench import roofline
from bench.flops import Flops, count_flops
from bench.mask import mask
from bench.process import run
from bench.recorder import read_inputs, recording, write_inputs

PASSES_PER_WINDOW = 4
MAX_REORDERS = 150
"""Limit for nodes of the reference denoiser that only change layout or precision."""


def weights(*shape: int) -> ov.Node:
    return op.constant(np.ones(shape, np.float32))


def test_a_convolution_is_two_operations_a_tap() -> None:
    x = op.parameter([1, 6, -1], np.float32, name="x")
    node = op.convolution(x, weights(8, 6, 3), [2], [1], [1], [1])
    found = count_flops(ov.Model([node], [x]), {"x": (1, 6, 20)})
    assert found == Flops(convolutions=2 * 8 * 6 * 3 * 10, products=0)  # 20 steps in, 10 out


def test_a_depthwise_convolution_mixes_no_channels() -> None:
    x = op.parameter([2, 6, -1], np.float32, name="x")
    node = op.group_convolution(x, weights(6, 1, 1, 5), [1], [2], [2], [1])
    found = count_flops(ov.Model([node], [x]), {"x": (2, 6, 7)})
    assert found.convolutions == 2 * (2 * 6 * 7) * 5


def test_a_transposed_convolution_spreads_its_input() -> None:
    x = op.parameter([1, 4, -1], np.float32, name="x")
    node = op.convolution_backprop_data(x, weights(4, 3, 2), [2])
    found = count_flops(ov.Model([node], [x]), {"x": (1, 4, 9)})
    assert found.convolutions == 2 * (4 * 9) * 3 * 2


@pytest.mark.parametrize("transposed", [False, True])
def test_products_of_attention(transposed: bool) -> None:
    a = op.parameter([2, 5, -1] if transposed else [2, -1, 5], np.float32, name="a")
    b = op.parameter([2, 5, 3], np.float32, name="b")
    node = op.matmul(a, b, transposed, False)
    shapes = {"a": (2, 5, 7) if transposed else (2, 7, 5), "b": (2, 5, 3)}
    found = count_flops(ov.Model([node], [a, b]), shapes)
    assert found == Flops(convolutions=0, products=2 * 2 * 7 * 3 * 5)


@pytest.mark.slow
def test_the_denoiser_as_torch_counts_it(reference_pack: Path, root: Path) -> None:
    """PyTorch counts the network while it runs; we count the pack's graph from its shapes."""
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    from train.checkpoints.checkpoint import load_checkpoint

    pack = load_pack(reference_pack, verify=False)
    model = ov.Core().read_model(pack.graph_path("denoiser"))
    frames = pack.manifest.sampler.window_frames
    shapes = {
        port.any_name: (
            1,
            port.partial_shape[1].get_length(),
            1 if port.partial_shape[2].is_static else frames,
        )
        for port in model.inputs
    }
    denoiser = load_checkpoint(root / "checkpoints" / "reference").generator.denoiser
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        denoiser(**{name: torch.zeros(shape) for name, shape in shapes.items()})
    by_torch = {str(name): flops for name, flops in counter.get_flop_counts()["Global"].items()}
    found = count_flops(model, shapes)
    assert found.convolutions == by_torch.pop("aten.convolution")
    assert found.products == sum(by_torch.values())


@pytest.mark.parametrize("int8", [False, True])
def test_the_roofline_is_what_it_says(int8: bool) -> None:
    model = roofline.chain(int8)
    shape = (1, roofline.NARROW, roofline.FRAMES)
    assert count_flops(model, {"x": shape}).convolutions == roofline.FLOPS
    count = count_kernels(ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}))
    assert (count.layers, count.int8) == (6, 6 if int8 else 0)


def test_distance_from_the_roof() -> None:
    assert roofline.gflops_s(3e9, 0.5) == pytest.approx(6.0)
    assert roofline.times_the_roof(seconds=0.5, flops=3e9, roof_gflops_s=12.0) == pytest.approx(2.0)


def test_evaluations_are_recorded_as_they_happen(tmp_path: Path) -> None:
    x = op.parameter([1, 3, -1], np.float32, name="x")
    x.output(0).set_names({"x"})
    model = ov.Model([op.relu(x)], [x], "small")
    with recording() as heard:
        request = ov.Core().compile_model(model, "CPU").create_infer_request()
        for frames in (4, 5, 4):
            request.infer({"x": np.full((1, 3, frames), frames, np.float32)})
    request.infer({"x": np.zeros((1, 3, 9), np.float32)})  # no longer recorded
    assert heard.forward_passes("small") == 3
    assert heard.calls["small", (("x", (1, 3, 4)),)] == 2
    assert heard.requests["small"] is request
    assert heard.inputs["small"]["x"].shape == (1, 3, 5)  # the second
    write_inputs(tmp_path / "inputs.npz", heard.inputs)
    assert np.array_equal(read_inputs(tmp_path / "inputs.npz")["small"]["x"], heard.inputs["small"]["x"])


@pytest.mark.slow
def test_a_window_costs_four_evaluations(reference_pack: Path, demo_vocal: Path, tmp_path: Path) -> None:
    rate = soundfile.info(demo_vocal).samplerate
    samples, _ = soundfile.read(demo_vocal, frames=40 * rate)
    soundfile.write(tmp_path / "vocal.wav", samples, rate)
    with recording() as heard:
        engine = Engine(reference_pack)
        (receipt,) = render(engine, RenderJob(tmp_path / "vocal.wav", tmp_path / "out"), "test")
    assert engine.pack.manifest.sampler.guidance == 1.0
    sampler = engine.pack.manifest.sampler
    latents = -(-40 * SAMPLE_RATE_HZ // (FRAME_SAMPLES * FRAMES_PER_LATENT))
    windows = len(song_windows(latents, sampler.window_frames, sampler.context_frames))
    assert windows == 2
    drawn = 2 if receipt.facts.get("fit", {}).get("retried") else 1
    assert heard.forward_passes("denoiser") == PASSES_PER_WINDOW * windows * drawn
    assert heard.forward_passes("condition") == windows * drawn


@pytest.mark.slow
@pytest.mark.parametrize("generation", ["haswell", "nehalem"])
def test_int8_kernels_run_as_older_processors(reference_pack: Path, generation: str) -> None:
    if not GENERATIONS[generation] <= read_cpu().flags:
        pytest.skip(f"this CPU is older than {generation}")
    chosen = mask(generation)
    if chosen.kind != "cpuid":
        pytest.skip("the faithful mask needs gcc and objdump")
    script = """
import json, sys
from pathlib import Path
from appliance.networks.graphs import Graphs
from appliance.packs.pack import load_pack
from bench.graph_worker import count_type, kernels_of
from bench.recorder import recording
with recording() as heard:
    graphs = Graphs(load_pack(Path(sys.argv[1]), verify=False))
    getattr(graphs, "ready", lambda: None)()
compiled = heard.requests["denoiser"].get_compiled_model()
alone = {kind: count_type(compiled, kind) for kind in ("MatMul", "Softmax")}
print(json.dumps({**kernels_of(compiled), "alone": alone}))
"""
    found = json.loads(run(chosen, [sys.executable, "-c", script, reference_pack]).output)
    instructions = {"haswell": "avx2", "nehalem": "sse"}[generation]
    int8 = {name: n for name, n in found["primitives"].items() if name.lower().endswith(("_i8", "_u8"))}
    assert sum(int8.values()) == found["int8"] >= 0.9 * found["layers"] > 60
    assert [name for name in int8 if instructions not in name] == []
    assert [name for name in found["primitives"] if "avx512" in name or "ref" in name] == []
    assert found["reorders"] <= MAX_REORDERS
    # From AVX2 on, attention is one kernel; on older CPUs it is two products and a softmax.
    products, softmaxes = {"haswell": (0, 0), "nehalem": (48, 24)}[generation]
    assert found["alone"] == {"MatMul": products, "Softmax": softmaxes}
