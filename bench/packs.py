"""Builds a pack again in FP32, for comparison, from the checkpoint that its manifest names.

It uses graphs in ``runs/graphs`` if they are of that checkpoint. Otherwise it exports the checkpoint in the
repository, which takes about a minute and needs torch. The result is kept in ``build/bench``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from appliance.errors import PackError
from appliance.packs.pack import Pack, load_pack
from bench.process import ROOT

BUILD = ROOT / "build" / "bench"
EXPORTED = ROOT / "runs" / "graphs"
CHECKPOINT = ROOT / "checkpoints" / "reference"


def fp32_twin(pack: Pack, say: Callable[[str], None]) -> Path | None:
    """Folder of ``pack`` in FP32; None if it cannot be built, after ``say`` was told why."""
    wanted = pack.manifest.checkpoint_sha256
    twin = BUILD / f"fp32-{wanted[:12]}"
    if _is_of(twin, wanted):
        return twin
    graphs = exported_from(pack, say)
    if graphs is None:
        return None
    command = ["quantize", graphs, "--soundfont", pack.soundfont_path, "--precision", "fp32", "--out", twin]
    return twin if _run(command, "building the FP32 pack", say) else None


def exported_from(pack: Pack, say: Callable[[str], None]) -> Path | None:
    """Folder of the exported graphs (also as ONNX) that ``pack`` was made from.

    None if there are none, after ``say`` was told why.
    """
    wanted = pack.manifest.checkpoint_sha256
    own = BUILD / "graphs"
    for graphs in (EXPORTED, own):
        if _checkpoint_of(graphs) == wanted:
            return graphs
    if not _run(["export", CHECKPOINT, "--out", own], f"exporting {CHECKPOINT}", say):
        return None
    if _checkpoint_of(own) == wanted:
        return own
    say(f"no exported graphs: {pack.folder} was not made from {CHECKPOINT}")
    return None


def _is_of(folder: Path, checkpoint: str) -> bool:
    try:
        return load_pack(folder, verify=False).manifest.checkpoint_sha256 == checkpoint
    except PackError:
        return False


def _checkpoint_of(graphs: Path) -> str:
    try:
        return str(json.loads((graphs / "graphs.json").read_text())["checkpoint_sha256"])
    except (OSError, ValueError, KeyError):
        return ""


def _run(words: list[str | Path], what: str, say: Callable[[str], None]) -> bool:
    say(what)
    command = [sys.executable, "-m", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        say(f"{what} failed: {' '.join(last)}")
    return done.returncode == 0
