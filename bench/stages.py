"""Measure a job's CPU time by stage, side by side for several CPU generations.

    python -m bench.stages --mask haswell --mask host --seconds 180

CPU seconds hardly depend on other work on the machine, so shares can be compared even on a busy one.
``python -m bench`` measures wall time and needs an idle machine.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.mask import Mask, mask
from bench.process import run
from bench.render import job_parser, vocal_of
from bench.stage_worker import REST, STAGES
from bench.tables import markdown

ORDER = ("start, imports", *STAGES, REST)


def measure(chosen: Mask, vocal: Path, pack: Path, cache: Path) -> dict[str, float]:
    """CPU seconds by stage of a job that finds its compiled graphs in ``cache``."""
    found: dict[str, Any] = {}
    for _ in range(2):
        with tempfile.TemporaryDirectory() as out:
            command = [sys.executable, "-m", "bench.stage_worker", vocal, pack, out]
            found = json.loads(run(chosen, command, environment={"CACHE_DIRECTORY": str(cache)}).output)
    return {stage: float(seconds) for stage, seconds in found["cpu_s"].items()}


def table(found: dict[str, dict[str, float]]) -> str:
    """A Markdown table with one row per stage and two columns per mask: CPU seconds and their share."""
    rows = []
    totals = {name: sum(seconds.values()) for name, seconds in found.items()}
    for stage in ORDER:
        cells = [
            cell
            for name, seconds in found.items()
            for cell in (f"{seconds.get(stage, 0.0):.2f}", f"{seconds.get(stage, 0.0) / totals[name]:.0%}")
        ]
        rows.append([stage, *cells])
    rows.append(["all", *(cell for total in totals.values() for cell in (f"{total:.2f}", ""))])
    return markdown(("stage", *(head for name in found for head in (f"{name}, CPU s", "share"))), rows)


def main() -> int:
    """Parse, measure, print."""
    options = job_parser(__doc__, seconds=180.0).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        vocal = Path(folder) / "vocal.wav"
        vocal_of(options.vocal, options.seconds, vocal)
        names = options.mask or ["haswell"]
        chosen = [(name, mask(None if name == "host" else name)) for name in names]
        found = {name: measure(m, vocal, options.pack, Path(folder) / "cache") for name, m in chosen}
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
