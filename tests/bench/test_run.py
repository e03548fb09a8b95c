"""The bench end to end on a tiny pack, and the measurement of a single process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.mask import Mask
from bench.process import Failed, forget_cached, run

HOST = Mask("host", "none")


MEASURED = """
import sys
from bench.mask import Mask
from bench.process import run

host = Mask("host", "none")
full = run(host, [sys.executable, "-c", "x = b'x' * (300 << 20); print(len(x))"])
small = run(host, [sys.executable, "-c", "import os; print(len(os.sched_getaffinity(0)))"], cores=1)
print(full.output.strip(), full.peak_bytes, small.peak_bytes, small.output.strip())
"""


def test_what_a_process_took_is_its_own(root: Path) -> None:
    # Run from a small process, as the bench is: until exec, a child's memory is as large as its parent's.
    command = [sys.executable, "-c", MEASURED]
    told = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.split()
    printed, full, small, cores = map(int, told)
    assert printed == 300 << 20
    assert full > 300 << 20 > small
    assert cores == 1


def test_a_process_that_fails_says_why() -> None:
    with pytest.raises(Failed, match=r"(?s)ended with 3 .*no luck"):
        run(HOST, [sys.executable, "-c", "import sys; print('no luck', file=sys.stderr); sys.exit(3)"])


def test_forgotten_files_are_still_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("words")
    forget_cached([tmp_path])
    assert (tmp_path / "file").read_text() == "words"


@pytest.mark.slow
def test_a_whole_run(root: Path, fake_pack: Path, demo_vocal: Path, tmp_path: Path) -> None:
    options = {
        "--pack": fake_pack, "--vocal": demo_vocal, "--out": tmp_path, "--mask": "host", "--seconds": "6",
        "--lengths": "6", "--takes": "1,2", "--cores": "1", "--rounds": "1",
    }  # fmt: skip
    words = [str(word) for pair in options.items() for word in pair]
    command = [sys.executable, "-m", "bench", "--no-fp32", *words]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "bench.json").read_text())
    assert found["skipped"] == []
    assert {(job["takes"], job["cores"]) for job in found["jobs"].values()} == {(1, 0), (2, 0), (1, 1)}
    assert all(job["wall_s"][0] > 0 for job in found["jobs"].values())
    graphs = found["graphs"]["host"]["packs"]["INT8"]["seconds"]
    assert set(graphs) >= {"planner", "condition", "denoiser", "vae_decoder", "vae_encoder", "fit"}
    assert found["flops"]["denoiser"]["calls_in_job"] % 4 == 0 < found["flops"]["denoiser"]["calls_in_job"]
    assert len(found["starts"]) == 3
    page = (tmp_path / "README.md").read_text()
    for title in ("The whole job", "Takes", "Cores", "Start", "Graphs", "Roofline"):
        assert f"## {title}" in page
