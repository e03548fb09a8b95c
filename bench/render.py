"""Time the whole job by the command line, from file to published files, under CPU masks.

    python -m bench.render --mask haswell --mask nehalem

Each run is a fresh process, so its time includes start-up and loading the graphs. The first run of each mask
is not counted: it fills the file cache and searches the libraries for CPUID.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile

from appliance.system.cpu import read_cpu
from bench.mask import ONEDNN_CAP, Mask, mask

ROOT = Path(__file__).resolve().parent.parent
BUSY_LOAD = 0.5
"""Load average above which other work disturbs the measurement."""


@dataclass(frozen=True)
class Timing:
    """Renders of ``audio_s`` seconds under one mask; ``wall_s`` has each run's seconds."""

    mask: str
    audio_s: float
    wall_s: tuple[float, ...]
    stages_s: dict[str, float]

    @property
    def rtf(self) -> float:
        """Real-time factor of the median run: seconds of work for each second of audio."""
        return statistics.median(self.wall_s) / self.audio_s


def vocal_of(source: Path, duration_s: float, target: Path) -> None:
    """Write ``duration_s`` seconds of ``source``, repeated as often as needed, as 16-bit mono."""
    samples, rate_hz = soundfile.read(source, dtype="float32", always_2d=True)
    wanted = round(duration_s * rate_hz)
    mono = samples.mean(axis=1)
    soundfile.write(target, np.tile(mono, -(-wanted // len(mono)))[:wanted], rate_hz, subtype="PCM_16")


def render(chosen: Mask, backline: Path, vocal: Path, pack: Path, out: Path) -> dict[str, float]:
    """Render once; returns the receipt's seconds by stage. Exits with the command's error if it fails."""
    done = chosen.run([backline, "render", vocal, "--pack", pack, "--out", out, "--seed", "0"])
    if done.returncode:
        sys.exit(f"backline ended with {done.returncode} under {chosen}:\n{done.stderr or done.stdout}")
    receipt = json.loads(next(out.rglob("*.receipt.json")).read_text())
    stages = receipt.get("timings_s", {})
    return {name: float(value) for name, value in stages.items() if isinstance(value, int | float)}


def measure(chosen: Mask, backline: Path, vocal: Path, pack: Path, runs: int) -> Timing:
    """One uncounted render, then ``runs`` timed ones, each into an empty folder."""
    walls, stages = [], {}
    for _ in range(runs + 1):
        with tempfile.TemporaryDirectory() as out:
            began = time.perf_counter()
            stages = render(chosen, backline, vocal, pack, Path(out))
            walls.append(time.perf_counter() - began)
    return Timing(str(chosen), soundfile.info(vocal).duration, tuple(walls[1:]), stages)


def table(timings: list[Timing]) -> str:
    """The timings as a Markdown table."""
    rows = ["| as CPU | audio, s | runs, s | real-time factor |", "|---|---|---|---|"]
    for timing in timings:
        runs = ", ".join(f"{wall:.1f}" for wall in timing.wall_s)
        rows.append(f"| {timing.mask} | {timing.audio_s:.0f} | {runs} | {timing.rtf:.3f} |")
    return "\n".join(rows)


def job_parser(about: str, seconds: float) -> argparse.ArgumentParser:
    """A parser with the options for masks, vocal and pack; ``about`` is the module's docstring."""
    parser = argparse.ArgumentParser(description=about.split("\n\n")[0])
    masks = [*ONEDNN_CAP, "host"]
    parser.add_argument("--mask", action="append", choices=masks, help="repeatable; host means no mask")
    parser.add_argument("--vocal", type=Path, default=ROOT / "demo" / "vocal.flac")
    parser.add_argument(
        "--seconds", type=float, default=seconds, help="cut or repeat the vocal to this length"
    )
    parser.add_argument("--pack", type=Path, default=ROOT / "packs" / "reference")
    return parser


def main() -> int:
    """Parse, measure, print."""
    parser = job_parser(__doc__, seconds=60.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--backline", type=Path, default=Path(sys.prefix) / "bin" / "backline")
    parser.add_argument("--json", action="store_true", help="print JSON, with the seconds of each stage")
    options = parser.parse_args()

    cpu, load = read_cpu(), os.getloadavg()[0]
    if load > BUSY_LOAD:
        print(f"The load is {load:.1f}: other work will slow the runs down.", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        vocal = Path(folder) / "vocal.wav"
        vocal_of(options.vocal, options.seconds, vocal)
        chosen = [mask(None if name == "host" else name) for name in options.mask or ["haswell"]]
        timings = [measure(m, options.backline, vocal, options.pack, options.runs) for m in chosen]
    if options.json:
        found = [{**asdict(timing), "rtf": timing.rtf} for timing in timings]
        print(json.dumps({"cpu": cpu.model, "cores": cpu.cores, "load": load, "timings": found}, indent=2))
    else:
        print(f"{cpu.model}, {cpu.cores} cores, load {load:.1f} before the first run\n\n{table(timings)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
