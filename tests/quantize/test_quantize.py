"""INT8 graphs: every layer that was meant is INT8, nothing else is; packs appear whole or not at all."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from click.testing import CliRunner
from openvino import opset13 as op
from support.tiny_checkpoint import tiny_facts, write_tiny_checkpoint
from support.tiny_samples import write_tiny_samples

from appliance.doctor import check_kernels
from appliance.errors import BacklineError, OutputError, UsageError
from appliance.networks.kernel_count import count_kernels
from appliance.packs.pack import Pack, load_pack
from export.__main__ import export
from quantize.__main__ import build_pack, main
from quantize.calibration import read_samples
from quantize.coverage import WEIGHTED, coverage
from quantize.exported import NEEDED, read_exported
from quantize.fidelity import snr_db
from quantize.int8 import FLOAT_LAYERS, check_coverage, quantise
from quantize.ir import save_graph

SOUNDFONT = Path(__file__).parents[1] / "data" / "tiny.sf2"
CORE = ov.Core()


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quantize")
    export(write_tiny_checkpoint(folder / "checkpoint"), folder / "graphs")
    return folder / "graphs"


@pytest.fixture(scope="module")
def samples(graphs: Path) -> Path:
    return write_tiny_samples(graphs.parent / "samples", graphs)


@pytest.fixture(scope="module")
def soundfont(graphs: Path) -> Path:
    file = Path(shutil.copy(SOUNDFONT, graphs.parent / "band.sf2"))
    (graphs.parent / "band-licence.txt").write_text("Sines, made for tests.\n")
    return file


@pytest.fixture(scope="module")
def pack(graphs: Path, samples: Path, soundfont: Path) -> Pack:
    return build_pack(graphs, soundfont, graphs.parent / "tiny", calibration=samples)


@pytest.fixture(scope="module")
def fp32(graphs: Path, soundfont: Path) -> Pack:
    return build_pack(graphs, soundfont, graphs.parent / "tiny-fp32", precision="fp32")


def read(pack: Pack, graph: str) -> ov.Model:
    return CORE.read_model(pack.graph_path(graph))


def report_of(pack: Pack) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((pack.folder / "quantize-report.json").read_text())
    return report


@pytest.mark.parametrize("graph", NEEDED)
def test_layers_are_int8_and_nothing_else_is(pack: Pack, graphs: Path, graph: str) -> None:
    """Counted forwards, from each FakeQuantize to what it feeds: the report counts backwards."""
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
    # Seven bits, or sums saturate on processors without VNNI: 255 · 64 · 2 < 2^15 <= 255 · 127 · 2.
    # Depthwise layers (groups, 1, 1, taps) do not add products of channels in pairs.
    summed = [w for w in weights if w.shape[1:-1] != (1, 1)]
    assert max(int(np.abs(w.astype(int)).max()) for w in summed) <= 64


def consumers(node: ov.Node) -> set[str]:
    """Types of the operations that ``node`` feeds, through those that only move data."""
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
    """Asked of the compiled graphs, at the fixed window of the appliance."""
    model = read(pack, "denoiser")
    model.reshape({p: [2, *[d.get_length() if d.is_static else 64 for d in list(p.partial_shape)[1:]]]
                   for p in model.inputs})  # fmt: skip
    count = count_kernels(CORE.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}))
    assert count.layers >= 20
    assert count.int8_share >= 0.9
    assert check_kernels(pack.folder).status == "ok"


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


def scaled(factor: float) -> ov.Model:
    x = op.parameter([1, 2, -1], np.float32, name="x")
    x.output(0).set_names({"x"})
    result = op.result(op.multiply(x, op.constant(np.float32(factor))))
    result.output(0).set_names({"y"})
    return ov.Model([result], [x], "scaled")


def test_snr_of_a_known_error() -> None:
    samples = [{"x": np.full((1, 2, n), n, np.float32)} for n in (3, 5)]
    assert snr_db(scaled(1.0), scaled(1.01), samples)["y"] == pytest.approx(40, abs=0.01)
    assert snr_db(scaled(1.0), scaled(0.5), samples)["y"] == pytest.approx(20 * np.log10(2), abs=0.01)
    assert snr_db(scaled(2.0), scaled(2.0), samples)["y"] == np.inf


def layer(between: str = "", weights: str = "i8", levels: int = 256) -> ov.Model:
    """One convolution behind a FakeQuantize, with something between or unusual weights."""
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
    with pytest.raises(UsageError, match=r"No layer is called rows; there are .*rows_in"):
        quantise(CORE.read_model(path), used, ["rows"])


def test_the_pack_says_where_it_comes_from(pack: Pack, graphs: Path) -> None:
    opened = load_pack(pack.folder)
    assert opened.sha256 == pack.sha256
    facts, manifest = tiny_facts(), opened.manifest
    assert manifest.latent_mean == tuple(facts["latent_mean"])
    assert manifest.ledger_rows_sha256 == facts["ledger_rows_sha256"]
    assert manifest.checkpoint_sha256 == json.loads((graphs / "graphs.json").read_text())["checkpoint_sha256"]
    assert manifest.sampler.guidance == 2.0
    assert manifest.name == "tiny"
    card = (pack.folder / "MODEL_CARD.md").read_text()
    parameters = sum(graph["parameters"] for graph in report_of(pack)["graphs"].values())
    for text in (f"{parameters:,} parameters", "## Hardware\n\ntwo cores", "- Denoiser: 3", "20 of 22",
                 "Apache-2.0", manifest.checkpoint_sha256, facts["ledger_rows_sha256"]):  # fmt: skip
        assert text in card
    assert not list(graphs.parent.glob(".*"))  # no half-made pack is left


def test_fp32_is_the_same_pack_unquantised(fp32: Pack, pack: Pack, graphs: Path, samples: Path) -> None:
    assert fp32.manifest.files.keys() == pack.manifest.files.keys()
    assert fp32.manifest.checkpoint_sha256 == pack.manifest.checkpoint_sha256
    assert "for comparison" in (fp32.folder / "MODEL_CARD.md").read_text()
    for graph in NEEDED:
        model, source = read(fp32, graph), CORE.read_model(graphs / f"{graph}.xml")
        assert "FakeQuantize" not in {node.get_type_name() for node in model.get_ops()}
        assert report_of(fp32)["graphs"][graph]["int8"] == 0
        _, held_out = read_samples(samples, graph, source)
        assert set(snr_db(source, model, held_out).values()) == {np.inf}


def test_metrics_go_in(graphs: Path, soundfont: Path, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"b": 1, "a": 0.5}')
    made = build_pack(graphs, soundfont, tmp_path / "p", precision="fp32", metrics=tmp_path / "m.json",
                      name="named", version="2.1")  # fmt: skip
    assert json.loads((made.folder / "metrics.json").read_text()) == {"a": 0.5, "b": 1}
    assert "metrics.json" in made.manifest.files
    assert (made.manifest.name, made.manifest.version) == ("named", "2.1")
    (tmp_path / "m.json").write_text("fast")
    with pytest.raises(UsageError, match="cannot be read as JSON"):
        build_pack(graphs, soundfont, tmp_path / "p", precision="fp32", metrics=tmp_path / "m.json")
    assert load_pack(tmp_path / "p").sha256 == made.sha256  # the pack before is still there


def test_a_pack_is_replaced_but_nothing_else(graphs: Path, soundfont: Path, tmp_path: Path) -> None:
    out = tmp_path / "reference"
    out.mkdir()
    for file in (soundfont, soundfont.with_name("band-licence.txt")):
        shutil.copy(file, out)
    made = build_pack(graphs, out / "band.sf2", out, precision="fp32")  # its own soundfont is kept
    assert build_pack(graphs, out / "band.sf2", out, precision="fp32").sha256 == made.sha256
    (out / "notes").mkdir()
    (out / "notes" / "mine.txt").write_text("do not lose")
    with pytest.raises(OutputError, match=r"notes/mine\.txt: not part of a pack"):
        build_pack(graphs, soundfont, out, precision="fp32")
    assert (out / "notes" / "mine.txt").read_text() == "do not lose"
    assert (out / "pack.json").is_file()


@pytest.fixture
def spoiled(graphs: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(graphs, tmp_path / "graphs"))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "graphs.json").unlink(), "graphs.json: cannot be read"),
        (lambda f: (f / "graphs.json").write_text("{"), "graphs.json: "),
        (lambda f: edit(f, lambda s: s.update(schema=2)), "schema: "),
        (lambda f: edit(f, lambda s: s["graphs"].pop("planner")), "no graph planner"),
        (lambda f: edit(f, lambda s: s["graphs"]["planner"].update(file="../planner.xml")), "planner.file: "),
        (lambda f: edit(f, lambda s: s["checkpoint"].pop("licence")), "checkpoint.licence: "),
        (lambda f: (f / "planner.bin").unlink(), "planner.bin: missing or altered"),
        (lambda f: (f / "planner.bin").write_bytes(b"\0"), "planner.bin: missing or altered"),
    ],
)
def test_graphs_that_are_not_what_was_exported(
    spoiled: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(spoiled)
    with pytest.raises(UsageError) as caught:
        read_exported(spoiled)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    said = json.loads((folder / "graphs.json").read_text())
    change(said)
    (folder / "graphs.json").write_text(json.dumps(said))


GOOD = {f"{s}/x": np.full((1, 2, 4 + s), s, np.float32) for s in range(8)}


def test_the_last_quarter_is_held_out(tmp_path: Path) -> None:
    np.savez(tmp_path / "g.npz", **dict(reversed(GOOD.items())))
    used, held_out = read_samples(tmp_path, "g", scaled(1.0))
    assert [int(s["x"][0, 0, 0]) for s in used] == [0, 1, 2, 3, 4, 5]
    assert [int(s["x"][0, 0, 0]) for s in held_out] == [6, 7]
    assert [s["x"].shape[2] for s in held_out] == [10, 11]  # each its own length
    assert len(list(used)) == len(used) == 6  # and again


class Trap:
    """Unpickling this makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"8/y": np.zeros(1, np.float32)}, "sample '8' lacks or adds x, y"),
        ({"x": np.zeros((1, 2, 4), np.float32), "y": np.zeros(1)}, "sample '' lacks or adds y"),
        ({"3/x": np.zeros((1, 2, 4))}, "3/x is float64"),
        ({"3/x": np.zeros((1, 3, 4), np.float32)}, "3/x is float32 (1, 3, 4), the graph takes"),
        ({"3/x": np.full((1, 2, 4), np.nan, np.float32)}, "3/x is not finite"),
        ({f"{s}/x": None for s in range(5)}, "3 samples; at least 4"),
        ({"3/x": np.array([Trap(Path("sprung"))], object)}, "3/x cannot be read"),
    ],
)
def test_samples_that_do_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("g.npz", **{k: v for k, v in {**GOOD, **change}.items() if v is not None})
    with pytest.raises(UsageError) as caught:
        for half in read_samples(tmp_path, "g", scaled(1.0)):
            list(half)
    assert said in str(caught.value)
    assert not Path("sprung").exists()


@pytest.mark.parametrize("content", [None, b"", b"text", b"\x80\x04N."])
def test_files_that_are_no_samples(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "g.npz").write_bytes(content)
    with pytest.raises(UsageError, match=r"g\.npz: "):
        read_samples(tmp_path, "g", scaled(1.0))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "INT8 needs samples"),
        (["--calibration", "nowhere"], "condition.npz: cannot be read"),
        (["--precision", "fp32", "--float", "denoiser"], "give a graph and a layer"),
        (["--precision", "fp32", "--float", "drummer/out"], "No graph is called drummer"),
        (["--precision", "fp32", "--soundfont", "graphs.json"], "not a SoundFont 2 file"),
        (["--precision", "fp32", "--soundfont", "bare.sf2"], "bare-licence.txt: missing"),
        (["--precision", "fp32", "--out", "taken"], "a file has that name"),
    ],
)
def test_the_command_says_what_is_wrong(
    spoiled: Path, soundfont: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    monkeypatch.chdir(spoiled)
    shutil.copy(soundfont, "bare.sf2")
    Path("taken").write_text("")
    before = sorted(spoiled.rglob("*"))
    result = CliRunner().invoke(main, [".", "--soundfont", str(soundfont), "--out", "pack", *options])
    assert result.exit_code == 1
    assert said in result.output
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert sorted(spoiled.rglob("*")) == before


def test_the_command_builds_a_pack(graphs: Path, soundfont: Path, tmp_path: Path) -> None:
    words = [graphs, "--soundfont", soundfont, "--out", tmp_path / "pack", "--precision", "fp32"]
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0
    assert load_pack(tmp_path / "pack").sha256 in result.output


def test_nncf_cannot_report_home() -> None:
    """In an interpreter of its own: under pytest NNCF is silent anyway."""
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
