"""Graphs that take a whole song at once: several threads, and memory after a long song."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from appliance.networks.condition_rows import PHASE_ROWS
from appliance.networks.graphs import KEPT_FRAMES, Array, Graphs
from appliance.packs.pack import load_pack
from appliance.vocal.features import FEATURE_ROWS

LEFT_BEHIND = f"""
import os, sys
import numpy as np
from pathlib import Path
from appliance.networks.graphs import Graphs
from appliance.packs.pack import load_pack
graphs = Graphs(load_pack(Path(sys.argv[1])))
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
def heard(frames):
    graphs.plan(np.zeros(({FEATURE_ROWS}, frames), np.float32), np.zeros(({PHASE_ROWS}, frames), np.float32))
    return resident()
few = heard(1024)
print(heard({4 * KEPT_FRAMES}) - few)
"""


@pytest.fixture(scope="module")
def graphs(reference_pack: Path) -> Graphs:
    return Graphs(load_pack(reference_pack))


def song(frames: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(frames)
    return rng.random((FEATURE_ROWS, frames), np.float32), rng.random((PHASE_ROWS, frames), np.float32)


@pytest.mark.slow
def test_songs_in_parallel_give_the_same_plans_as_one_by_one(graphs: Graphs) -> None:
    songs = [song(frames) for frames in (512, KEPT_FRAMES + 4, 512, KEPT_FRAMES + 4) * 3]
    alone = [graphs.plan(*each) for each in songs[:2]] * 6
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda each: graphs.plan(*each), songs))
    for found, wanted in zip(together, alone, strict=True):
        for ours, theirs in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_a_long_song_leaves_no_memory_behind(reference_pack: Path) -> None:
    command = [sys.executable, "-c", LEFT_BEHIND, str(reference_pack)]
    left_mib = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert left_mib < 40  # 90 or more without release_memory()
