"""Exported graphs compute what torch computes, at any length; what cannot be exported says so."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
import torch
from click.testing import CliRunner, Result
from support.tiny_checkpoint import DENOISER, tiny_facts, write_tiny_checkpoint
from torch import Tensor, nn

from export import parity
from export.__main__ import export, main
from export.convert import ExportError, check_operations, operations, to_ir, to_onnx
from export.facts import checkpoint_sha256
from export.graphs import Graph, Port, graphs_of
from export.parity import differences
from export.report import Exported
from train.checkpoints.checkpoint import load_checkpoint

FRAMES = 96
"""Latent frames; neither traced nor checked by the export itself."""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "checkpoint")


@pytest.fixture(scope="module")
def out(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny") / "graphs"
    export(checkpoint, folder)
    return folder


def infer(out: Path, name: str, **inputs: Tensor) -> list[torch.Tensor]:
    model = ov.Core().compile_model(out / f"{name}.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = model({key: x.numpy() for key, x in inputs.items()})
    return [torch.from_numpy(np.array(found[port])) for port in model.outputs]


def close(found: torch.Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_the_planner_gives_probabilities(checkpoint: Path, out: Path) -> None:
    planner = load_checkpoint(checkpoint).planner
    features, phases = torch.rand(1, 64, 2 * FRAMES), torch.rand(1, 5, 2 * FRAMES)
    plan, key, beats = infer(out, "planner", features=features, phases=phases)
    logits = planner(features, phases)
    close(plan, torch.sigmoid(logits[0]))
    close(key, torch.softmax(logits[1], 1))
    close(beats, torch.sigmoid(logits[2]))
    assert plan.shape == (1, 24, FRAMES // 2)
    assert key.sum().item() == pytest.approx(1.0, abs=1e-5)


@torch.inference_mode()
def test_both_halves_of_the_vae_speak_in_normalised_latents(checkpoint: Path, out: Path) -> None:
    vae = load_checkpoint(checkpoint).vae
    facts = tiny_facts()
    mean = torch.tensor(facts["latent_mean"]).reshape(1, 64, 1)
    std = torch.tensor(facts["latent_std"]).reshape(1, 64, 1)
    roll = (torch.rand(1, 1438, 2 * FRAMES) > 0.95).float()
    (latent,) = infer(out, "vae_encoder", roll=roll)
    close(latent * std + mean, vae.encoder(roll)[0])
    (painted,) = infer(out, "vae_decoder", latent=latent)
    close(painted, torch.sigmoid(vae.decoder(vae.encoder(roll)[0])))
    assert painted.shape == roll.shape


@torch.inference_mode()
def test_a_batch_of_two_is_two_batches_of_one(checkpoint: Path, out: Path) -> None:
    """Guidance runs the condition and its absence side by side; each must be what it is alone."""
    generator = load_checkpoint(checkpoint).generator
    rows, style = torch.rand(2, 94, 2 * FRAMES), torch.eye(9)[[2, 8]].unsqueeze(-1)
    rows[1] = 0
    tokens, keys_values = infer(out, "condition", rows=rows, style=style)
    latent, context = torch.randn(2, 64, FRAMES), torch.randn(2, 64, FRAMES)
    known, valid = torch.zeros(2, 1, FRAMES), torch.ones(2, 1, FRAMES)
    known[..., :16], valid[..., 80:] = 1, 0
    inputs = {"latent": latent, "context": context, "known": known, "timestep": torch.full((2, 1, 1), 0.7),
              "tokens": tokens, "keys_values": keys_values, "style": style, "valid": valid}  # fmt: skip
    (velocity,) = infer(out, "denoiser", **inputs)
    for b in range(2):
        alone = {key: x[b : b + 1] for key, x in inputs.items()}
        one_tokens, one_keys_values = generator.condition(rows[b : b + 1], style[b : b + 1])
        close(tokens[b : b + 1], one_tokens)
        close(keys_values[b : b + 1], one_keys_values)
        close(velocity[b : b + 1], generator.denoiser(*alone.values()))
    assert not torch.allclose(velocity[0], velocity[1], atol=1e-2)


def test_axes_are_free_and_weights_are_whole(out: Path) -> None:
    core = ov.Core()
    for name in ("planner", "condition", "denoiser", "vae_decoder", "vae_encoder"):
        model = core.read_model(out / f"{name}.xml")
        free = {"style", "timestep"}
        for port in model.inputs:
            assert port.partial_shape[2].is_dynamic == (port.any_name not in free)
            assert port.partial_shape[0].is_dynamic == (name in ("condition", "denoiser"))
        listed = json.loads((out / "graphs.json").read_text())["graphs"][name]
        assert [port.names for port in model.outputs] == [{output} for output in listed["outputs"]]
        assert [port.names for port in model.inputs] == [{given} for given in listed["inputs"]]
        kinds = {node.get_element_type().get_type_name() for node in model.get_ops()
                 if node.get_type_name() == "Constant"}  # fmt: skip
        assert "f32" in kinds
        assert not kinds & {"f16", "bf16", "i8", "u8"}


def test_only_attention_multiplies_matrices(out: Path) -> None:
    report = json.loads((out / "export-report.json").read_text())["graphs"]
    found = {name: graph["matmuls"] for name, graph in report.items()}
    assert found == {"planner": 0, "condition": 0, "denoiser": 6 * DENOISER.blocks, "vae_decoder": 0,
                     "vae_encoder": 0}  # fmt: skip
    # In a block: film, qkv, self_out, query, align_out, near, up, down. Outside: six.
    assert report["denoiser"]["convolutions"] == 8 * DENOISER.blocks + 6


def test_the_next_room_learns_all_it_needs(checkpoint: Path, out: Path) -> None:
    said = json.loads((out / "graphs.json").read_text())
    assert said["checkpoint"] == tiny_facts()
    assert said["checkpoint_sha256"] == checkpoint_sha256(checkpoint)
    for graph in said["graphs"].values():
        assert (out / graph["file"]).is_file()
    assert said["graphs"]["denoiser"]["inputs"][0] == "latent"
    weights = load_checkpoint(checkpoint).generator.denoiser.parameters()
    assert said["graphs"]["denoiser"]["parameters"] == sum(w.numel() for w in weights)


def test_the_report_tells_every_output(out: Path) -> None:
    report = json.loads((out / "export-report.json").read_text())
    table = (out / "export-report.md").read_text()
    for name, graph in report["graphs"].items():
        outputs = {"planner": 3, "condition": 2}.get(name, 1)
        assert len(graph["differences"]) == 2 * outputs  # as ONNX and as IR
        assert graph["agrees"]
        assert all(0 < d["max_rel"] < report["tolerance_rel"] for d in graph["differences"])
        assert table.count(f"| {name} |") == 2 * outputs


def test_the_same_graph_gives_the_same_bytes(checkpoint: Path, out: Path, tmp_path: Path, root: Path) -> None:
    networks = load_checkpoint(checkpoint)
    facts = tiny_facts()
    graphs = graphs_of(networks, facts["latent_mean"], facts["latent_std"])
    graph = next(graph for graph in graphs if graph.name == "condition")
    to_onnx(graph, tmp_path / "condition.onnx")
    to_ir(graph, tmp_path / "condition.onnx")
    for ending in ("onnx", "xml", "bin"):
        again = (tmp_path / f"condition.{ending}").read_bytes()
        assert again == (out / f"condition.{ending}").read_bytes()
        assert str(root).encode() not in again
        assert str(tmp_path).encode() not in again


class Wrong(nn.Module):
    """A network whose trace is not what it does."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return y if torch.jit.is_tracing() else y * 1.001


class Frozen(Wrong):
    """A network that counts its frames in Python."""

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) / int(x.shape[-1])


class Tokenwise(Wrong):
    """A network with a linear layer where a convolution should be."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.linear(self.conv(x).transpose(1, 2)).transpose(1, 2)
        return y


def small_graph(module: nn.Module) -> Graph:
    return Graph("small", module.eval(), (Port("x", 2),), ("y",))


def test_a_graph_that_differs_is_seen(tmp_path: Path) -> None:
    graph = small_graph(Wrong())
    path = tmp_path / "small.onnx"
    to_onnx(graph, path)
    (found,) = differences(graph, (path,))
    assert found.max_rel == pytest.approx(0.001, rel=0.01)
    assert not found.small
    assert not replace(found, max_rel=float("nan")).small
    assert not Exported(graph, path, path, operations(path), [found]).agrees
    assert not Exported(graph, path, path, operations(path), []).agrees


def test_a_frozen_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="small: the traced length would be frozen"):
        to_onnx(small_graph(Frozen()), tmp_path / "small.onnx")


def test_a_linear_layer_gone_astray_is_refused(tmp_path: Path) -> None:
    graph = small_graph(Tokenwise())
    to_onnx(graph, tmp_path / "small.onnx")
    with pytest.raises(ExportError, match="small: 1 matrix products, but attention has 0"):
        check_operations(graph, operations(tmp_path / "small.onnx"))


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_no_graphs_json_without_parity(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "graphs.json").write_text("of an earlier export")
    monkeypatch.setattr(parity, "TOLERANCE", 0.0)
    monkeypatch.setattr("export.__main__.graphs_of", lambda *given: graphs_of(*given)[1:2])
    result = run(checkpoint, "--out", tmp_path)
    assert result.exit_code == 1
    assert "condition: differs from torch" in result.output
    assert (tmp_path / "export-report.md").is_file()
    assert not (tmp_path / "graphs.json").exists()


class Trap:
    """Unpickling this makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


def zipped_pickle(file: Path, trap: Trap) -> None:
    torch.save(trap, file)
    assert zipfile.is_zipfile(file)


def plain_pickle(file: Path, trap: Trap) -> None:
    torch.save(trap, file, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize("pickled", [zipped_pickle, plain_pickle])
@pytest.mark.parametrize("name", ["weights.pt", "vae.safetensors"])
def test_pickles_are_refused_unopened(
    checkpoint: Path, tmp_path: Path, pickled: Callable[[Path, Trap], None], name: str
) -> None:
    """Under their own name, and disguised as safetensors."""
    folder = Path(shutil.copytree(checkpoint, tmp_path / "checkpoint"))
    pickled(folder / name, Trap(tmp_path / "sprung"))
    for given in (folder, folder / name):
        result = run(given, "--out", tmp_path / "out")
        assert result.exit_code == 1
        assert f"{name}: a pickle" in result.output
        assert result.output.startswith("Error: ")
        assert result.output.count("\n") == 1
    assert not (tmp_path / "sprung").exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: (f / "checkpoint.json").unlink(), "no checkpoint.json"),
        (lambda f: (f / "checkpoint.json").write_text("{"), "checkpoint.json: not JSON"),
        (lambda f: (f / "checkpoint.json").write_text("[]"), "checkpoint.json: not a JSON object"),
        (lambda f: edit(f, schema=7), "schema 7"),
        (lambda f: edit(f, latent_std=[1.0]), "differ in length"),
        (lambda f: edit(f, latent_mean=[0.0], latent_std=[1.0]), "the statistics 1"),
        (lambda f: edit(f, latent_std=[0.0] * 64), "latent_std.0: "),
        (lambda f: edit(f, sampler={}), "sampler.steps: Field required"),
        (lambda f: edit(f, ledger_rows_sha256="unknown"), "ledger_rows_sha256: "),
        (lambda f: (f / "planner.safetensors").unlink(), "planner.safetensors: missing"),
        (lambda f: (f / "planner.safetensors").write_bytes(b"\x08" + b"\0" * 40), "planner.safetensors: not"),
        (lambda f: shutil.copy(f / "vae.safetensors", f / "planner.safetensors"), "of another version"),
    ],
)
def test_a_checkpoint_that_cannot_be_used(
    checkpoint: Path, tmp_path: Path, change: Callable[[Path], object], said: str
) -> None:
    folder = Path(shutil.copytree(checkpoint, tmp_path / "checkpoint"))
    change(folder)
    result = run(folder, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert said in result.output
    assert result.output.startswith("Error: ")
    assert "Traceback" not in result.output


def edit(folder: Path, **changes: object) -> None:
    path = folder / "checkpoint.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_the_hash_of_a_checkpoint_is_of_all_its_files(checkpoint: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(checkpoint, tmp_path / "checkpoint"))
    before = checkpoint_sha256(folder)
    assert before == checkpoint_sha256(checkpoint)
    edit(folder, hours=2)
    assert checkpoint_sha256(folder) != before
