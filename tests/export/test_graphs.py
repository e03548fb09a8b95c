"""Exported graphs compute what torch computes at any length, and describe themselves completely."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import torch
from support.tiny_checkpoint import DENOISER, tiny_facts
from torch import Tensor

from appliance.networks.condition_rows import CONDITION_ROWS, STYLE_ROWS
from export.convert import to_ir, to_onnx
from export.facts import checkpoint_sha256
from export.graphs import graphs_of
from train.checkpoints.checkpoint import load_checkpoint

FRAMES = 96
"""Latent frames: a length that export neither traces nor checks itself."""


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
    """Guidance runs a conditioned and an unconditioned sample in one batch; they must not mix."""
    generator = load_checkpoint(checkpoint).generator
    rows, style = torch.rand(2, CONDITION_ROWS, 2 * FRAMES), torch.eye(STYLE_ROWS)[[2, -1]].unsqueeze(-1)
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
