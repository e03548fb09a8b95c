"""The chord network as a graph: exported, put into a pack, and called by the appliance."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from support.fake_pack import write_fake_manifest

from appliance.networks.chord_rows import CIRCLE_ROWS, PLAIN_ROWS
from appliance.networks.graphs import Graphs
from appliance.packs.pack import load_pack
from export.convert import check_operations, operations, to_ir, to_onnx
from export.graphs import ChordGraph, Graph, graphs_of
from export.parity import differences
from train.checkpoints.checkpoint import load_checkpoint
from train.networks.chords import ChordConfig, ChordNetwork


@pytest.fixture(scope="module")
def network() -> ChordNetwork:
    torch.manual_seed(2)
    network = ChordNetwork(ChordConfig(width=8, dilations=(1, 2))).eval()
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    return network


@pytest.fixture(scope="module")
def graph(network: ChordNetwork, checkpoint: Path) -> Graph:
    """The graph of a checkpoint that has the network beside the others."""
    whole = load_checkpoint(checkpoint)
    whole.extras["chords"] = network
    (found,) = (g for g in graphs_of(whole, [0.0] * 64, [1.0] * 64) if isinstance(g.module, ChordGraph))
    return found


@pytest.fixture(scope="module")
def exported(graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("chords") / "chords.onnx"
    to_onnx(graph, path)
    return to_ir(graph, path)


def test_the_graph_computes_what_torch_computes(graph: Graph, exported: Path) -> None:
    onnx = exported.with_suffix(".onnx")
    found = differences(graph, (onnx, exported))
    assert len(found) == 2 * 4
    assert [each for each in found if not each.small] == []
    check_operations(graph, operations(onnx))


@torch.inference_mode()
def test_the_appliance_reads_its_scores(
    network: ChordNetwork, exported: Path, fake_pack: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(fake_pack, tmp_path / "pack"))
    for ending in (".xml", ".bin"):
        shutil.copyfile(exported.with_suffix(ending), folder / f"chords{ending}")
    write_fake_manifest(folder)
    graphs = Graphs(load_pack(folder))
    for slots in (1, 37):
        rng = np.random.default_rng(slots)
        circle = rng.standard_normal((CIRCLE_ROWS, 12, slots), np.float32)
        plain = rng.standard_normal((PLAIN_ROWS, slots), np.float32)
        found = graphs.chords(circle, plain)
        chords, change, bass = network(torch.from_numpy(circle)[None], torch.from_numpy(plain)[None])
        for ours, theirs in ((found.chords, chords), (found.change, change), (found.bass, bass)):
            np.testing.assert_allclose(ours, theirs[0].numpy(), atol=0.02)
        np.testing.assert_allclose(found.table, network.transitions().numpy(), atol=0.02)
