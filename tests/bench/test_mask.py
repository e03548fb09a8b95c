"""The mask: the CPU features that a program sees, generation by generation."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.system.cpu import GENERATIONS, read_cpu
from bench import mask as mask_module
from bench.mask import ONEDNN_CAP, mask

PROBE = r"""
#include <cpuid.h>
#include <stdio.h>
int main(void) {
  unsigned a, b, c, d, e, f, g, h;
  __cpuid(1, a, b, c, d);
  __cpuid_count(7, 0, e, f, g, h);
  const struct { const char *name; int bit; } seen[] = {
    {"sse4_2", c >> 20 & 1}, {"fma", c >> 12 & 1}, {"avx", c >> 28 & 1}, {"f16c", c >> 29 & 1},
    {"movbe", c >> 22 & 1}, {"bmi1", f >> 3 & 1}, {"avx2", f >> 5 & 1}, {"bmi2", f >> 8 & 1},
    {"avx512f", f >> 16 & 1}, {"avx512dq", f >> 17 & 1}, {"avx512cd", f >> 28 & 1},
    {"avx512bw", f >> 30 & 1}, {"avx512vl", f >> 31 & 1}, {"avx512_vnni", g >> 11 & 1},
    {"avx512vbmi", g >> 1 & 1}, {"gfni", g >> 8 & 1}, {"vaes", g >> 9 & 1},
    {"amx_tile", h >> 24 & 1}, {"amx_int8", h >> 25 & 1}, {"avx512_fp16", h >> 23 & 1}};
  for (unsigned i = 0; i < sizeof seen / sizeof *seen; i++)
    if (seen[i].bit) printf("%s ", seen[i].name);
  return 0;
}
"""
VISIBLE = {
    *("fma", "avx", "f16c", "movbe", "bmi1", "avx2", "bmi2", "gfni", "vaes"),
    *("avx512f", "avx512dq", "avx512cd", "avx512bw", "avx512vl", "avx512_vnni", "avx512vbmi", "avx512_fp16"),
    *("amx_tile", "amx_int8"),
}

masks_here = pytest.mark.skipif(
    not (shutil.which("gcc") and shutil.which("objdump")), reason="the faithful mask needs gcc and objdump"
)


def playable(generation: str) -> None:
    if not GENERATIONS[generation] <= read_cpu().flags:
        pytest.skip(f"this CPU is older than {generation}")


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("probe")
    (folder / "probe.c").write_text(PROBE)
    subprocess.run(["gcc", "-O1", "-o", folder / "probe", folder / "probe.c"], check=True)
    return folder / "probe"


@masks_here
@pytest.mark.parametrize("generation", ONEDNN_CAP)
def test_a_program_sees_what_the_generation_had(probe: Path, generation: str) -> None:
    playable(generation)
    chosen = mask(generation)
    assert chosen.kind == "cpuid"
    done = chosen.run([probe])
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) & VISIBLE == GENERATIONS[generation] & VISIBLE


@masks_here
def test_without_a_mask_the_program_sees_the_processor(probe: Path) -> None:
    """At least the features that Linux reports; it may hide some."""
    done = mask(None).run([probe])
    assert read_cpu().flags & VISIBLE <= set(done.stdout.split())


@masks_here
@pytest.mark.slow
def test_openvino_and_numpy_take_the_old_path() -> None:
    """A convolution runs an AVX2 kernel, and numpy sees no AVX-512."""
    playable("haswell")
    script = """
import numpy as np, openvino as ov
from numpy._core._multiarray_umath import __cpu_features__ as features
from openvino import opset13 as op
from appliance.networks.kernel_count import count_kernels
x = op.parameter([1, 64, 64], np.float32)
y = op.convolution(x, op.constant(np.ones((64, 64, 1), np.float32)), [1], [0], [0], [1])
compiled = ov.Core().compile_model(ov.Model([y], [x]), "CPU")
print(features["AVX2"], features["AVX512F"], *count_kernels(compiled).primitives)
"""
    done = mask("haswell").run([sys.executable, "-c", script])
    avx2, avx512, kernel = done.stdout.split()
    assert (avx2, avx512) == ("True", "False")
    assert "avx2" in kernel
    assert "avx512" not in kernel


def test_a_lesser_mask_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    playable("nehalem")
    monkeypatch.setattr(mask_module, "_build", lambda: None)
    chosen = mask("nehalem")
    assert chosen.kind == "onednn"
    assert chosen.environment["ONEDNN_MAX_CPU_ISA"] == "SSE41"
    assert "NOT faithful" in str(chosen)


def test_generations_that_cannot_be_played_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="pentium"):
        mask("pentium")
    monkeypatch.setattr(mask_module, "read_cpu", lambda: read_cpu(Path("/dev/null")))
    with pytest.raises(ValueError, match=r"lacks .*avx2"):
        mask("haswell")
