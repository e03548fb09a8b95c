"""``python -m bench --out DIR``: measures everything side by side in one run."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

from appliance.packs.pack import load_pack
from appliance.system.cpu import read_cpu
from bench.collect import Collector
from bench.mask import ONEDNN_CAP
from bench.packs import fp32_twin
from bench.process import ROOT
from bench.report import write
from bench.schedule import SONG_S, Schedule

MASKS = (*ONEDNN_CAP, "host")


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure speed and memory.")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "build" / "bench" / "report", help="folder for the results"
    )
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="start no further round that would end later"
    )
    parser.add_argument("--rounds", type=int, default=5, help="maximum number of rounds")
    parser.add_argument("--mask", action="append", choices=MASKS, help="repeatable; default: all")
    parser.add_argument(
        "--focus", default="haswell", choices=MASKS, help="the mask for lengths, takes and cores"
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="vocal length for comparing masks")
    parser.add_argument(
        "--lengths", type=_numbers, default=(10.0, SONG_S, 600.0), help="vocal lengths in s, comma-separated"
    )
    parser.add_argument(
        "--takes", type=_numbers, default=(1.0, 3.0), help="numbers of takes, comma-separated"
    )
    parser.add_argument(
        "--cores", type=_numbers, help="numbers of cores, comma-separated; default: 1 and all"
    )
    parser.add_argument("--pack", type=Path, default=ROOT / "packs" / "reference")
    parser.add_argument("--fp32", type=Path, help="the pack in FP32; default: build it from its checkpoint")
    parser.add_argument("--no-fp32", action="store_true", help="measure the INT8 pack alone")
    parser.add_argument("--vocal", type=Path, default=ROOT / "demo" / "vocal.flac")
    parser.add_argument("--peers", action="store_true", help="measure other software too")
    parser.add_argument(
        "--peers-python", default=sys.executable, help="a Python that has the peers' packages"
    )
    parser.add_argument("--peers-mask", action="append", choices=MASKS, help="repeatable; default: the focus")
    parser.add_argument("--peer", action="append", help="only peers whose names begin with this; repeatable")
    parser.add_argument("--paper", type=Path, help="a checkout of the paper's code")
    return parser.parse_args()


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(",") if part)


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)


def _machine() -> dict[str, Any]:
    cpu = read_cpu()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    date = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    facts = {"model": cpu.model, "cores": cpu.cores, "generation": cpu.generation, "memory_gib": memory}
    return {**facts, "openvino": version("openvino"), "date": date, "load": os.getloadavg()[0]}


def main() -> int:
    """Measure and write the report."""
    options = parse_options()
    began, machine = time.monotonic(), _machine()
    packs = {"INT8": options.pack}
    if not options.no_fp32:
        twin = options.fp32 or fp32_twin(load_pack(options.pack, verify=False), _say)
        packs |= {"FP32": twin} if twin else {}
    masks = tuple(options.mask or MASKS)
    schedule = Schedule(
        masks=masks,
        focus=options.focus if options.focus in masks else masks[0],
        short_s=options.seconds,
        lengths_s=options.lengths,
        takes=tuple(map(int, options.takes)),
        cores=tuple(map(int, options.cores or (() if machine["cores"] == 1 else (1,)))),
        fp32="FP32" in packs,
    )
    with tempfile.TemporaryDirectory(prefix="backline-bench-") as folder:
        collector = Collector(schedule, packs, options.vocal, Path(folder))
        collector.prepare(_say)
        spent = time.monotonic() - began
        collector.measure(options.rounds, options.minutes * 60.0 - spent, _say)
        found = collector.found
        if options.peers or options.peer or options.paper:
            from bench.peers import measure_peers

            found["peers"] = measure_peers(options, found, Path(folder), _say)
    command = " ".join(["python -m bench", *sys.argv[1:]])
    found |= {"machine": machine, "took_s": time.monotonic() - began}
    found["settings"] = {"short_s": options.seconds, "command": command}
    print(write(found, options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
