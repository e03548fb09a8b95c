"""Measures other software in the same run: each peer in its own process, under the same mask.

A peer prints its row as JSON in its last line. Its packages (transformers, diffusers, ONNX Runtime, torch)
are not dependencies of the project; where one is missing, the row says so.

- ``pytorch``, ``onnx_runtime``: our own denoiser
- ``musicgen``: MusicGen by its public architecture; ``oobleck``: the decoder of Stable Audio Open
- ``paper``: the code of arXiv 2507.19991, from a checkout
- ``timing``: number of threads, timing, and printing of rows
"""

from __future__ import annotations

import json
import shutil
import statistics
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from appliance.packs.pack import load_pack
from bench.extrapolate import real_time_factor
from bench.mask import mask
from bench.packs import CHECKPOINT, exported_from
from bench.process import Failed, run
from bench.schedule import SONG_S

INSTALL = {
    "torch": "not installed: make test",
    "onnxruntime": "not installed: pip install onnxruntime onnx",
    "transformers": "not installed: pip install transformers",
    "diffusers": "not installed: pip install diffusers",
}
"""Text of a row whose package is missing."""


def commands(options: Namespace, inputs: Path, exported: Path | None) -> list[tuple[str, list[str | Path]]]:
    """(name, module and arguments) of every selected peer."""
    found: list[tuple[str, list[str | Path]]] = []
    for how in ("eager", "compile"):
        words: list[str | Path] = ["bench.peers.pytorch", inputs, CHECKPOINT, how]
        found.append((f"our denoiser in PyTorch, {how}", words))
    if exported is not None:
        for how in ("fp32", "int8"):
            words = ["bench.peers.onnx_runtime", inputs, exported / "denoiser.onnx", how]
            found.append((f"our denoiser in ONNX Runtime, {how}", words))
    found += [(f"MusicGen {size}", ["bench.peers.musicgen", size]) for size in ("small", "large")]
    found.append(("Stable Audio Open VAE, decoding", ["bench.peers.oobleck"]))
    if options.paper is not None:
        found.append(("SAMUeL-GEN, the paper's code", ["bench.peers.paper", options.paper.resolve()]))
    wanted = tuple(options.peer or [""])
    return [(name, words) for name, words in found if name.startswith(wanted)]


def measure_peers(
    options: Namespace, found: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """A row for every peer and mask."""
    rows = []
    exported = exported_from(load_pack(options.pack, verify=False), say)
    for name in options.peers_mask or [options.focus]:
        try:
            chosen = mask(None if name == "host" else name)
        except ValueError:
            continue  # the collector has reported it
        for peer, words in commands(options, folder / "inputs.npz", exported):
            say(f"peer: {peer}, {name}")
            try:
                if "compile" in words and (compiler := shutil.which("g++")):
                    # Search the compiler for CPUID before it is used: it compiles for the CPU that it sees.
                    run(chosen, [compiler, "--version"])
                finished = run(chosen, [options.peers_python, "-m", *words])
                row = json.loads(finished.output.strip().splitlines()[-1])
                row["peak_bytes"] = finished.peak_bytes
            except Failed as error:
                row = {"missing": f"failed: {str(error).strip().splitlines()[-1]}"}
            if "package" in row:
                row = {"missing": INSTALL[row["package"]]}
            rows.append(completed({"mask": name, "name": peer, **row}, found))
    return rows


def completed(row: dict[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """``row`` with its real-time factor, and its time relative to ours where ours was measured."""
    if "missing" in row:
        return row
    if row["audio_s"]:
        row["rtf"] = real_time_factor(row["seconds"], row["audio_s"])
        ours = our_rtf(found, row["mask"])
        row["times_ours"] = row["rtf"] / ours if ours else None
    else:
        row["rtf"] = None
        ours = our_forward_pass_s(found, row["mask"])
        row["times_ours"] = row["seconds"] / ours if ours else None
    return row


def our_rtf(found: Mapping[str, Any], name: str) -> float | None:
    """Real-time factor of our whole INT8 job under mask ``name``: of a song, or of the longest vocal."""
    jobs = [
        (job["audio_s"] == SONG_S, job["audio_s"], statistics.median(job["wall_s"]))
        for job in found["jobs"].values()
        if (job["mask"], job["precision"], job["takes"], job["cores"]) == (name, "INT8", 1, 0)
    ]
    return real_time_factor(max(jobs)[2], max(jobs)[1]) if jobs else None


def our_forward_pass_s(found: Mapping[str, Any], name: str) -> float | None:
    """Median seconds of one forward pass of our INT8 denoiser under mask ``name``."""
    measured = found["graphs"].get(name)
    return statistics.median(measured["packs"]["INT8"]["seconds"]["denoiser"]) if measured else None
