"""The release on emulated processors: it runs on old ones and refuses those that are too old."""

from __future__ import annotations

import shutil

import pytest
from support.machine.bundles import Bundles

from bundle.carriers.check_cpus import CPUS, check_cpus

pytestmark = [pytest.mark.privileged, pytest.mark.slow]


def test_each_processor(bundles: Bundles) -> None:
    if shutil.which("qemu-x86_64-static") is None:
        pytest.skip("qemu-x86_64-static is missing (Debian: apt install qemu-user-static)")
    lines = list(check_cpus(bundles.tree, render=False))
    print("\n".join(lines))
    for cpu in CPUS:
        assert any(line.startswith(f"{cpu}: backline doctor") for line in lines)
    (refusal,) = (line for line in lines if line.startswith("Conroe: backline doctor"))
    assert "sse4_2" in refusal
