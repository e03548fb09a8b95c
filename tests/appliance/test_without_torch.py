"""The appliance runs where torch cannot be imported, and speaks to nobody."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import soundfile

ALONE = Path(__file__).parents[1] / "support" / "runtime_alone.py"


def last_line(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


@pytest.fixture
def short_vocal(demo_vocal: Path, tmp_path: Path) -> Path:
    """Six seconds of the demo vocal."""
    samples, rate_hz = soundfile.read(demo_vocal, frames=6 * soundfile.info(demo_vocal).samplerate)
    soundfile.write(tmp_path / "short.wav", samples, rate_hz)
    return tmp_path / "short.wav"


def test_every_module_loads_without_torch(root: Path) -> None:
    done = subprocess.run([sys.executable, ALONE], cwd=root, capture_output=True, text=True, check=False)
    report = last_line(done)
    # The blocker blocks, and it matters: torch is there to be found.
    assert {"torch", "onnx", "nncf", "train"} <= set(report["findable"])
    assert report["refused"] == ["torch", "onnx", "nncf", "onnxruntime", "train", "export", "quantize"]
    files = [path.relative_to(root) for path in (root / "appliance").rglob("*.py")]
    shipped = {".".join(path.with_suffix("").parts) for path in files if not path.stem.startswith("__")}
    assert len(shipped) > 100
    assert shipped <= set(report["modules"])
    assert report["blocked_but_loaded"] == []
    assert report["connections"] == []


@pytest.mark.slow
def test_a_file_is_rendered_without_torch(root: Path, reference_pack: Path, short_vocal: Path) -> None:
    out = short_vocal.parent / "out"
    command = ["render", short_vocal, "--pack", reference_pack, "--out", out]
    done = subprocess.run(
        [sys.executable, ALONE, *command], cwd=root, capture_output=True, text=True, check=False
    )
    report = last_line(done)
    assert report["exit_code"] in (0, None), done.stderr
    assert report["blocked_but_loaded"] == []
    assert report["connections"] == []
    assert soundfile.info(next(out.rglob("short.accompaniment.wav"))).frames == 6 * 44_100


@pytest.mark.slow
def test_no_system_call_reaches_out(reference_pack: Path, short_vocal: Path, tmp_path: Path) -> None:
    """What Python cannot see (OpenVINO is native code): the kernel's own list of calls."""
    strace = shutil.which("strace")
    if strace is None or subprocess.run([strace, "-o", tmp_path / "try", "true"], check=False).returncode:
        pytest.skip("strace is missing or may not trace here")
    log = tmp_path / "calls"
    backline = [sys.executable, "-c", "from appliance.cli.main import main; main()"]
    command = [*backline, "render", short_vocal, "--pack", reference_pack, "--out", tmp_path]
    trace = [strace, "-f", "-o", log, "-e", "trace=connect,sendto,sendmsg,sendmmsg,execve"]
    subprocess.run([*trace, *command], check=True, capture_output=True)
    calls = log.read_text()
    assert "execve(" in calls  # the log is of this run
    assert re.findall(r".*AF_INET6?.*", calls) == []
