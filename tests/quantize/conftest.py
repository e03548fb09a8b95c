"""Exported graphs of a tiny checkpoint, samples and a soundfont, and the packs built from them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.tiny_checkpoint import write_tiny_checkpoint
from support.tiny_samples import write_tiny_samples

from appliance.packs.pack import Pack
from export.__main__ import export
from quantize.__main__ import build_pack

SOUNDFONT = Path(__file__).parents[1] / "data" / "tiny.sf2"


@pytest.fixture(scope="session")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quantize")
    export(write_tiny_checkpoint(folder / "checkpoint"), folder / "graphs")
    return folder / "graphs"


@pytest.fixture(scope="session")
def samples(graphs: Path) -> Path:
    return write_tiny_samples(graphs.parent / "samples", graphs)


@pytest.fixture(scope="session")
def soundfont(graphs: Path) -> Path:
    file = Path(shutil.copy(SOUNDFONT, graphs.parent / "band.sf2"))
    (graphs.parent / "band-licence.txt").write_text("Sines, made for tests.\n")
    return file


@pytest.fixture(scope="session")
def pack(graphs: Path, samples: Path, soundfont: Path) -> Pack:
    return build_pack(graphs, soundfont, graphs.parent / "tiny", calibration=samples)


@pytest.fixture(scope="session")
def fp32(graphs: Path, soundfont: Path) -> Pack:
    return build_pack(graphs, soundfont, graphs.parent / "tiny-fp32", precision="fp32")


@pytest.fixture
def spoiled(graphs: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(graphs, tmp_path / "graphs"))
