"""The cache of compiled graphs: same results; files that are damaged or may be foreign are ignored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from appliance.networks import cache as graph_cache
from appliance.networks.cache import GraphCache, cache_folder
from appliance.networks.graphs import Graphs
from appliance.packs.pack import Pack, load_pack

SHAPE = (1, 64)


@pytest.fixture
def pack(fake_pack: Path) -> Pack:
    return load_pack(fake_pack)


def answer(graphs: Graphs) -> bytes:
    rows = np.random.default_rng(1).random((64, 40), dtype=np.float32)
    plan, key, beats = graphs.plan(rows, rows[:5])
    return plan.tobytes() + key.tobytes() + beats.tobytes()


def test_stored_graphs_answer_like_compiled_ones(pack: Pack, tmp_path: Path) -> None:
    folder = tmp_path / "graphs"
    fresh = Graphs(pack, 1, folder)
    fresh.ready()
    stored = sorted(folder.iterdir())
    assert {path.name.split("-")[0] for path in stored} >= {"planner", "condition", "denoiser", "vae_decoder"}
    before = [path.stat().st_ino for path in stored]
    again = Graphs(pack, 1, folder)
    again.ready()
    assert answer(again) == answer(fresh) == answer(Graphs(pack, 1))
    assert [path.stat().st_ino for path in sorted(folder.iterdir())] == before  # nothing was compiled again


@pytest.mark.slow
@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_a_damaged_file_is_compiled_again(pack: Pack, tmp_path: Path, damage: bytes | None) -> None:
    Graphs(pack, 1, tmp_path).ready()
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-1] if damage is None else damage)
    graphs = Graphs(pack, 1, tmp_path)
    graphs.ready()
    assert answer(graphs) == answer(Graphs(pack, 1))


def test_a_graph_is_for_one_pack_setting_and_shape(pack: Pack, tmp_path: Path) -> None:
    cache = GraphCache(tmp_path, pack, {"INFERENCE_NUM_THREADS": "1"})
    cache.write("planner", SHAPE, b"compiled")
    assert cache.read("planner", SHAPE) == b"compiled"
    assert cache.read("planner", (2, 64)) is None
    assert cache.read("fit", SHAPE) is None
    assert GraphCache(tmp_path, pack, {"INFERENCE_NUM_THREADS": "2"}).read("planner", SHAPE) is None
    other = replace(pack, sha256="0" * 64)
    assert GraphCache(tmp_path, other, {"INFERENCE_NUM_THREADS": "1"}).read("planner", SHAPE) is None


def test_a_folder_that_others_may_write_to_is_not_trusted(pack: Pack, tmp_path: Path) -> None:
    cache = GraphCache(tmp_path / "graphs", pack, {})
    cache.write("planner", SHAPE, b"compiled")
    (tmp_path / "graphs").chmod(0o777)
    assert cache.read("planner", SHAPE) is None
    cache.write("fit", SHAPE, b"compiled")
    assert len(list((tmp_path / "graphs").iterdir())) == 1


def test_a_place_that_cannot_be_written_is_no_error(pack: Pack, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = GraphCache(tmp_path / "file" / "graphs", pack, {})
    cache.write("planner", SHAPE, b"compiled")
    assert cache.read("planner", SHAPE) is None


def test_the_longest_unused_go_first(pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_cache, "MOST_FILES", 3)
    cache = GraphCache(tmp_path, pack, {})
    for age in range(5):
        cache.write("planner", (1, age), b"compiled")
    assert len(list(tmp_path.iterdir())) == 3
    assert cache.read("planner", (1, 4)) == b"compiled"


def test_where_caches_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CACHE_DIRECTORY", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    assert cache_folder() is None
    monkeypatch.setenv("HOME", "/home/anna")
    assert cache_folder() == Path("/home/anna/.cache/backline/graphs")
    monkeypatch.setenv("XDG_CACHE_HOME", "/fast")
    assert cache_folder() == Path("/fast/backline/graphs")
    monkeypatch.setenv("CACHE_DIRECTORY", "/var/cache/backline:/var/cache/other")
    assert cache_folder() == Path("/var/cache/backline/graphs")
    monkeypatch.setenv("CACHE_DIRECTORY", "relative")
    assert cache_folder() is None
