"""``backline doctor`` with simulated CPUs, memory and disks, and with graphs of known layers."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as op

from appliance.doctor.computer import check_disk, check_glibc, check_memory
from appliance.doctor.examine import doctor
from appliance.doctor.pack import check_kernels
from appliance.errors import MachineError, PackError
from appliance.networks.kernel_count import count_kernels
from appliance.system import cpu as cpu_module
from appliance.system.cpu import FLOOR_GLIBC, Cpu, glibc_version, read_cpu, require_machine

# Flags as Linux prints them, without those that the doctor ignores.
CONROE = "fpu sse sse2 pni ssse3 cx16 lahf_lm"
NEHALEM = CONROE + " sse4_1 sse4_2 popcnt"
IVY_BRIDGE = NEHALEM + " pclmulqdq aes xsave avx f16c rdrand"
BROADWELL = IVY_BRIDGE + " fma movbe bmi1 avx2 bmi2 adx rdseed"
ZEN_2 = BROADWELL + " sha_ni clwb sse4a"
SKYLAKE_SERVER = BROADWELL + " avx512f avx512dq avx512cd avx512bw avx512vl"
CASCADE_LAKE = SKYLAKE_SERVER + " avx512_vnni"
ICE_LAKE = CASCADE_LAKE + " avx512vbmi avx512_vbmi2 gfni vaes"


def described(tmp_path: Path, flags: str, model: str = "Test CPU") -> Cpu:
    file = tmp_path / "cpuinfo"
    core = f"processor\t: 0\nmodel name\t: {model}\nflags\t\t: {flags}\nbugs\t\t: none\n\n"
    file.write_text(core + core.replace("processor\t: 0", "processor\t: 1"))
    return read_cpu(file)


@pytest.mark.parametrize(
    ("flags", "generation"),
    [
        (CONROE, ""),
        (NEHALEM, "nehalem"),
        (IVY_BRIDGE, "sandybridge"),
        (BROADWELL, "haswell"),
        (ZEN_2, "haswell"),
        (SKYLAKE_SERVER, "skylake-avx512"),
        (CASCADE_LAKE, "cascadelake"),
        (ICE_LAKE, "cascadelake"),
    ],
)
def test_a_processor_is_named_after_the_kernels_it_runs(tmp_path: Path, flags: str, generation: str) -> None:
    assert described(tmp_path, flags).generation == generation


def test_cpuinfo_is_read(tmp_path: Path) -> None:
    found = described(tmp_path, NEHALEM, "Intel(R) Xeon(R) CPU X5570 @ 2.93GHz")
    assert found.model == "Intel(R) Xeon(R) CPU X5570 @ 2.93GHz"
    assert found.flags == set(NEHALEM.split())


def test_below_the_floor_says_so_and_loads_nothing(tmp_path: Path) -> None:
    """On such a CPU ``import numpy`` crashes the process, so the report must come before it."""
    script = """
import json, sys
from pathlib import Path
from appliance.system.cpu import read_cpu
from appliance.doctor.examine import doctor
report = doctor(Path("nowhere"), cpu=read_cpu(Path(sys.argv[1])))
print(json.dumps([report.to_json(), sorted({"numpy", "openvino", "soundfile"} & set(sys.modules))]))
"""
    described(tmp_path, CONROE, "Intel(R) Core(TM)2 CPU 6600")
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "cpuinfo")], capture_output=True, text=True, check=True
    )
    report, loaded = json.loads(done.stdout)
    assert loaded == []
    assert report["exit_code"] == MachineError.exit_code
    processor = report["checks"][0]
    assert processor["status"] == "fail"
    assert "Core(TM)2 CPU 6600" in processor["sentence"]
    assert "popcnt, sse4_1, sse4_2" in processor["sentence"]
    assert processor["remedy"]
    assert {c["name"]: c["status"] for c in report["checks"]}["kernels"] == "warn"


def test_so_does_the_command() -> None:
    script = """
import sys
from appliance.system import cpu
cpu.read_cpu = lambda *_: cpu.Cpu("old", frozenset(), 1)
from appliance.cli.main import main
sys.argv = ["backline", "doctor"]
try:
    main()
finally:
    print(sorted({"numpy", "openvino", "pydantic_core", "cryptography"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == MachineError.exit_code
    assert done.stdout.splitlines()[-1] == "[]"


def test_old_machines_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    require_machine()  # this computer is new enough
    old = described(tmp_path, CONROE)
    with monkeypatch.context() as patch:
        patch.setattr(cpu_module, "read_cpu", lambda: old)
        with pytest.raises(MachineError, match="sse4_2"):
            require_machine()
    for version, named in (((2, 27), r"2\.27"), (None, "other than GNU")):
        with monkeypatch.context() as patch:
            patch.setattr(cpu_module, "glibc_version", lambda version=version: version)
            with pytest.raises(MachineError, match=named):
                require_machine()


def test_the_c_library_floor_is_that_of_the_wheels() -> None:
    """The newest ``manylinux`` tag of the runtime's wheels decides."""
    needed = []
    for name in ("numpy", "openvino", "soundfile", "soxr", "tinysoundfont", "pydantic_core"):
        wheel = metadata.distribution(name).read_text("WHEEL") or ""
        tags = [tuple(map(int, t)) for t in re.findall(r"manylinux_(\d+)_(\d+)_x86_64", wheel)]
        needed += [min(tags)] if tags else []
    assert needed
    assert max(needed) <= FLOOR_GLIBC


def test_glibc_is_the_one_that_runs() -> None:
    version = glibc_version()
    assert version is not None
    ldd = subprocess.run(["ldd", "--version"], capture_output=True, text=True, check=True)
    assert ldd.stdout.splitlines()[0].split()[-1] == f"{version[0]}.{version[1]}"
    assert check_glibc().status == "ok"


@pytest.mark.parametrize(("free_kib", "status"), [(8_000_000, "ok"), (700_000, "fail")])
def test_memory(tmp_path: Path, free_kib: int, status: str) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(f"MemTotal:       16000000 kB\nMemFree:  10 kB\nMemAvailable:   {free_kib} kB\n")
    check = check_memory(meminfo)
    assert check.status == status
    assert check.facts["available_bytes"] == free_kib * 1024
    assert check_memory(tmp_path / "none").status == "warn"


def test_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    new = tmp_path / "not" / "yet"
    check = check_disk(new)
    assert check.status == "ok"
    assert check.facts["folder"] == str(tmp_path)
    assert not new.exists()
    for free, status in ((50 << 20, "fail"), (1 << 30, "warn")):
        usage = shutil.disk_usage(tmp_path)._replace(free=free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        assert check_disk(new).status == status


def test_disk_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    check = check_disk(tmp_path / "file")
    assert check.status == "fail"
    assert check.exit_code == 5
    assert str(tmp_path / "file") in check.sentence
    if os.geteuid() == 0:
        assert check_disk(Path("/proc/1")).status == "fail"  # not even root may


def test_a_bad_pack_ends_with_the_packs_exit_code(tmp_path: Path) -> None:
    def refuse(folder: Path) -> None:
        raise PackError(f"{folder}/vae.bin: altered, again; fetch the pack again.")

    report = doctor(tmp_path, tmp_path, load_pack=refuse)
    names = [check.name for check in report.checks]
    assert "kernels" not in names
    failed = [check for check in report.checks if check.status == "fail"]
    assert [(check.sentence, check.remedy) for check in failed] == [
        (f"{tmp_path}/vae.bin: altered, again.", "Fetch the pack again.")
    ]
    assert report.exit_code == PackError.exit_code
    assert json.loads(json.dumps(report.to_json()))["ok"] is False


def chain(layers: int, quantised: int) -> ov.Model:
    """``layers`` 1x1 convolutions on (batch 1, 32 channels, 40 frames), the last ``quantised`` as INT8."""
    random = np.random.default_rng(0)
    source = node = op.parameter([1, 32, 40], np.float32)
    for i in range(layers):
        weight = op.constant(random.standard_normal((32, 32, 1)).astype(np.float32) * 0.1)
        if i >= layers - quantised:
            node = op.fake_quantize(node, *map(np.float32, (-8.0, 7.9375, -8.0, 7.9375)), 256)
            weight = op.fake_quantize(weight, *map(np.float32, (-0.5, 0.5, -0.5, 0.5)), 255)
        node = op.tanh(op.convolution(node, weight, [1], [0], [0], [1]))
    return ov.Model([node], [source])


def test_kernels_are_counted_as_they_run() -> None:
    core = ov.Core()
    count = count_kernels(core.compile_model(chain(9, 7), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}))
    assert (count.layers, count.int8) == (9, 7)
    assert sum(n for name, n in count.primitives.items() if name.endswith("_I8")) == 7


@pytest.mark.parametrize(("quantised", "status"), [(24, "ok"), (12, "warn")])
def test_kernels_of_a_pack(tmp_path: Path, quantised: int, status: str) -> None:
    ov.save_model(chain(24, quantised), tmp_path / "graphs" / "denoiser.xml", compress_to_fp16=False)
    check = check_kernels(tmp_path)
    assert check.status == status
    assert check.facts["denoiser"]["layers"] == 24
    assert check.facts["denoiser"]["int8"] == quantised
    assert f"denoiser {quantised}/24" in check.sentence


def test_a_graph_that_does_not_compile(tmp_path: Path) -> None:
    (tmp_path / "vae.xml").write_text("<net>")
    check = check_kernels(tmp_path)
    assert check.status == "fail"
    assert "vae.xml" in check.sentence
    assert check_kernels(tmp_path / "empty").status == "fail"


@pytest.mark.slow
def test_the_reference_pack_passes(reference_pack: Path, tmp_path: Path) -> None:
    report = doctor(reference_pack, tmp_path)
    told = {check.name: (check.status, check.sentence) for check in report.checks}
    assert told["pack"][0] == "ok", told
    assert told["kernels"][0] == "ok", told
