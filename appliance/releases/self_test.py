"""Does a release do its work here: it renders the vocal that it brings, and the result is looked at."""

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
"""In which the demo is sung."""

LOUDNESS_LUFS = -16.0
TOLERANCE_LU = 1.0


def self_test(tree: Path, pack: Path | None = None, key: str = KEY) -> str:
    """Renders ``demo/vocal.flac`` of the release in ``tree`` with its pack or ``pack``; a line about it.

    Nothing is kept, cached, or read that is not part of the release. Raises BacklineError.
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
            raise ReleaseError(f"Self-test: {file.name} does not say what was rendered.")
        lufs = _checked(vocal, out, facts, key)
    seconds = time.monotonic() - begun_s
    return (
        f"Self-test passed: {facts['vocal']['duration_s']:.0f} s of singing in {facts['key']['name']}, "
        f"{facts['samples']:,} samples at {lufs:.1f} LUFS, in {seconds:.0f} s."
    )


def _checked(vocal: Path, out: Path, facts: dict[str, Any], key: str) -> float:
    """The loudness of a result that is as it must be, measured on the file."""
    from appliance.audio.loudness import integrated_lufs
    from appliance.audio.recording import probe, read_blocks

    (name,) = (name for name in facts["files"] if name.endswith(".accompaniment.wav"))
    asked, made = probe(vocal), probe(out / name)
    if made.output_samples != asked.output_samples:
        raise ReleaseError(
            f"Self-test: {made.output_samples} samples came out, and {asked.output_samples} went in."
        )
    lufs = integrated_lufs(read_blocks(made))
    if not math.isclose(lufs, LOUDNESS_LUFS, abs_tol=TOLERANCE_LU):
        raise ReleaseError(f"Self-test: the result has {lufs:.1f} LUFS instead of {LOUDNESS_LUFS:.0f}.")
    if facts["key"]["name"] != key:
        raise ReleaseError(f"Self-test: the demo was heard in {facts['key']['name']} instead of {key}.")
    return lufs
