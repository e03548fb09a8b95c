"""Export rejects graphs that differ from torch, have a fixed length or a linear layer outside attention."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

from export import parity
from export.__main__ import main
from export.convert import ExportError, check_operations, operations, to_onnx
from export.graphs import Graph, Port, graphs_of
from export.parity import differences
from export.report import Exported


class Wrong(nn.Module):
    """A network that computes something else while it is traced."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return y if torch.jit.is_tracing() else y * 1.001


class Frozen(Wrong):
    """A network that uses its number of frames as a Python number."""

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


def test_no_graphs_json_without_parity(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "graphs.json").write_text("of an earlier export")
    monkeypatch.setattr(parity, "TOLERANCE", 0.0)
    monkeypatch.setattr("export.__main__.graphs_of", lambda *given: graphs_of(*given)[1:2])
    result = CliRunner().invoke(main, [str(checkpoint), "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "condition: differs from torch" in result.output
    assert (tmp_path / "export-report.md").is_file()
    assert not (tmp_path / "graphs.json").exists()
