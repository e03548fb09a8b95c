"""Self-test of a release: render its demo vocal and check length, loudness and key of the result."""

from __future__ import annotations

import json
import math
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from appliance.errors import ReleaseError

KEY = "Ab major"
"""Key of the demo vocal."""

LOUDNESS_LUFS = -16.0
"""Integrated loudness of an accompaniment."""
TOLERANCE_LU = 1.0


def self_test(tree: Path, pack: Path | None = None, key: str = KEY) -> str:
    """Render ``demo/vocal.flac`` of the release in ``tree`` and check the result; returns a line about it.

    ``pack`` is the pack to use, by default that of the release; ``key`` is the expected key. The test reads
    only files of the release, uses no cache and keeps no file. Raises BacklineError if a check fails.
    """
    from appliance.rendering.engine import Engine
    from appliance.rendering.job import RenderJob
    from appliance.rendering.render import render

    begun_s = time.monotonic()
    vocal = tree / "demo" / "vocal.flac"
    with tempfile.TemporaryDirectory(prefix="backline-self-test-") as folder:
        out = Path(folder)
        (receipt,) = render(
            Engine(pack or tree / "packs" / "reference"), RenderJob(vocal, out), version("backline")
        )
        (file,) = out.glob("*.receipt.json")
        if (facts := json.loads(file.read_bytes())) != receipt.facts:
            raise ReleaseError(f"Self-test: {file.name} differs from the receipt that was returned.")
        lufs = _checked(vocal, out, facts, key)
    seconds = time.monotonic() - begun_s
    return (
        f"Self-test passed: {facts['vocal']['duration_s']:.0f} s of singing in {facts['key']['name']}, "
        f"{facts['samples']:,} samples at {lufs:.1f} LUFS, in {seconds:.0f} s."
    )


def _checked(vocal: Path, out: Path, facts: dict[str, Any], key: str) -> float:
    """Check the rendered file; returns its integrated loudness in LUFS. Raises ReleaseError."""
    from appliance.audio.loudness import integrated_lufs
    from appliance.audio.recording import probe, read_blocks

    (name,) = (name for name in facts["files"] if name.endswith(".accompaniment.wav"))
    asked, made = probe(vocal), probe(out / name)
    if made.output_samples != asked.output_samples:
        raise ReleaseError(
            f"Self-test: the result has {made.output_samples} samples instead of {asked.output_samples}."
        )
    lufs = integrated_lufs(read_blocks(made))
    if not math.isclose(lufs, LOUDNESS_LUFS, abs_tol=TOLERANCE_LU):
        raise ReleaseError(f"Self-test: the result has {lufs:.1f} LUFS instead of {LOUDNESS_LUFS:.0f}.")
    if facts["key"]["name"] != key:
        raise ReleaseError(f"Self-test: the detected key is {facts['key']['name']} instead of {key}.")
    return lufs
