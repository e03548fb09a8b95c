"""The bench's page against figures worked out by hand: complete rows, figures in their columns."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

import pytest
from support.canned_bench import canned

from bench import publish, tables
from bench.packs import fp32_twin
from bench.peers import commands, completed, our_forward_pass_s, our_rtf
from bench.report import text, write


def rows(table: str) -> list[list[str]]:
    """Cells of a Markdown table, without its head."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_jobs() -> None:
    found = rows(tables.jobs(canned()))
    assert found[0] == ["haswell", "INT8", "20", "2.00 (1.80-2.20)", "0.1000", "3.0", "310", "3"]
    assert ["haswell", "INT8", "180", "9.00 (8.10-9.90)", "0.0500", "13.5", "310", "3"] in found
    assert len(found) == 5  # without the jobs of several takes or one core


def test_what_grows() -> None:
    takes = rows(tables.scaling(canned(), "takes"))
    assert [(row[2], row[3]) for row in takes] == [("1", "2.00"), ("3", "5.00")]
    cores = rows(tables.scaling(canned(), "cores"))
    assert [(row[2], row[3]) for row in cores] == [("all", "2.00"), ("1", "3.50")]


def test_stages_leave_what_is_not_theirs() -> None:
    assert rows(tables.stages(canned(), 20.0))[0] == ["haswell", "INT8", "0.20", "1.20", "0.60"]


def test_starts() -> None:
    assert rows(tables.starts(canned())) == [["haswell", "cold", "5.00 (4.00-6.00)", "90", "200"]]


def test_graphs() -> None:
    # 10 GFLOP in 50 ms are 200 GFLOP/s, half of the roofline's 400. 9 at 400 and 1 at 200 would take 27.5 ms.
    (row,) = rows(tables.graphs(canned()))
    rates = ["10.000", "50.00", "200", "2.00", "1.82"]
    assert row == ["haswell", "denoiser", *rates, "100.00", "2.00", "69/71", "141"]


def test_roofline() -> None:
    # The job's 40 GFLOP take 0.1 s at the roofline and 0.2 s in the graphs; the whole job takes 2 s.
    (row,) = rows(tables.roofs(canned(), 20.0))
    assert row == ["haswell", "400", "200", "40.0", "0.10", "0.20", "2.00", "2.00"]


def test_without_fp32_its_columns_are_empty() -> None:
    found = canned()
    del found["graphs"]["haswell"]["packs"]["FP32"]
    (row,) = rows(tables.graphs(found))
    assert row[7:9] == [tables.NONE, tables.NONE]


def test_kernels() -> None:
    assert rows(tables.kernels(canned()))[0] == [
        "haswell", "INT8", "141", "69 × `jit_avx2_1x1_I8`, 2 × `jit_avx2_f32`"
    ]  # fmt: skip


def test_agreement() -> None:
    found = canned()["agreement"]
    assert rows(tables.agreement(found["INT8"]["denoiser/velocity"])) == [
        ["haswell", tables.NONE, "43"],
        ["host", "43", tables.NONE],
    ]
    assert "same" in tables.agreement(found["INT8"]["fit/log_odds"])
    assert "0.987" in tables.agreement(found["notes"], "share")


def test_peers() -> None:
    music, absent, network = rows(tables.peers(canned()))
    assert music[:5] == ["haswell", "MusicGen small", "168", "5.6", "112"]
    assert "extrapolated" in music[5]
    assert absent[5] == "not installed: pip install diffusers"
    assert network[2:5] == ["0.2", tables.NONE, "4"]


def test_peers_are_compared_with_the_same_thing_of_ours() -> None:
    found = canned()
    assert our_rtf(found, "haswell") == pytest.approx(0.05)  # of the song, not the short piece
    assert our_rtf(found, "host") == pytest.approx(0.05)
    assert our_rtf(found, "nehalem") is None
    assert our_forward_pass_s(found, "haswell") == 0.05
    music = completed({"mask": "haswell", "seconds": 168.0, "audio_s": 30.0}, found)
    assert (music["rtf"], music["times_ours"]) == (pytest.approx(5.6), pytest.approx(112.0))
    network = completed({"mask": "haswell", "seconds": 0.2, "audio_s": 0.0}, found)
    assert (network["rtf"], network["times_ours"]) == (None, pytest.approx(4.0))
    assert completed({"mask": "nehalem", "seconds": 1.0, "audio_s": 1.0}, found)["times_ours"] is None


def test_peers_that_were_asked_for() -> None:
    options = Namespace(paper=None, peer=None)
    names = [name for name, _ in commands(options, Path("inputs.npz"), None)]
    assert not [name for name in names if "ONNX" in name or "paper" in name]
    options = Namespace(paper=Path("checkout"), peer=["SAMUeL", "MusicGen small"])
    chosen = commands(options, Path("inputs.npz"), Path("graphs"))
    assert [name for name, _ in chosen] == ["MusicGen small", "SAMUeL-GEN, the paper's code"]


@pytest.mark.slow
def test_the_page_says_what_matters(tmp_path: Path) -> None:
    page = write(canned(), tmp_path).read_text()
    assert page == text(canned(), [path.name for path in _pictures(page, tmp_path)])
    assert "Test CPU, 2 cores" in page
    assert "it lacks avx512_vnni" in page
    assert "worth little" not in page
    for title in ("The whole job", "Start", "Graphs", "Roofline", "Agreement", "Peers", "Takes", "Cores"):
        assert f"## {title}" in page
    assert json.loads((tmp_path / "bench.json").read_text())["rounds"] == 3
    busy = canned()
    busy["machine"]["load"] = 7.0
    assert "worth little" in text(busy, [])


def _pictures(page: str, folder: Path) -> list[Path]:
    """The page's pictures in its order; checks that each is a PNG file."""
    named = [folder / line.rpartition("(")[2].rstrip(")") for line in page.splitlines() if line[:2] == "!["]
    assert [path for path in named if path.read_bytes()[:4] != b"\x89PNG"] == []
    return named


def test_a_pack_of_unknown_origin_has_no_twin(
    fake_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from appliance.packs.pack import load_pack

    monkeypatch.setattr("bench.packs.BUILD", tmp_path)
    monkeypatch.setattr("bench.packs.EXPORTED", tmp_path / "none")
    monkeypatch.setattr("bench.packs._run", lambda *_: True)
    said: list[str] = []
    assert fp32_twin(load_pack(fake_pack, verify=False), said.append) is None
    assert "was not made from" in said[0]


@pytest.mark.slow
def test_publishing_replaces_the_last_run(tmp_path: Path, root: Path) -> None:
    assert publish.MARK in (root / "bench" / "README.md").read_text()
    write(canned(), tmp_path / "run")
    page = tmp_path / "README.md"
    page.write_text(f"# Ours\n\n{publish.MARK}\n\nthe last run\n")
    publish.publish(tmp_path / "run", page)
    assert page.read_text().startswith("# Ours")
    assert "the last run" not in page.read_text()
    assert "## The whole job" in page.read_text()
    assert json.loads((tmp_path / "results" / "bench.json").read_text())["rounds"] == 3
    _pictures(page.read_text(), tmp_path)
