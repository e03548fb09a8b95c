"""Measure what an idle service costs among ten thousand old files, and how soon it notices a new one.

    python -m bench.watch_idle --pack packs/reference --files 10000 --idle 120 --repeats 5

Half of the old files in the inbox were rendered and left there, half have names that are never taken; the
archive holds as many. The cost is CPU seconds per hour. The latency is the time from the last write to a
vocal until its job is ``working``; it should be at most ``settle_s`` and two scans.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from appliance.watch.inbox.scan import scan
from appliance.watch.journal.journal import Journal
from appliance.watch.settings.config import Config
from bench.watch_service import Watched, usage_of
from bench.watch_soak import song


def lay_old_files(watched: Watched, files: int) -> None:
    """Create old files in inbox and archive, a hundred per folder, and record the rendered ones as done."""
    for number in range(files):
        singer = f"singer {number // 100}"
        name = f"take {number}.wav" if number % 2 else f"take {number}.wav.part"
        for root in ("inbox", "archive"):
            file = watched.root / root / singer / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"%d" % number)
    config = Config.read(watched.root / "backline.toml")
    with Journal(config.folders.state) as journal:
        journal._db.execute("PRAGMA synchronous = OFF")  # faster; this journal need not survive a crash
        for found in scan(config.folders.inbox, config.intake).found:
            digest = hashlib.sha256(found.path).hexdigest()
            job = journal.add(found, digest, "0" * 64, "{}", found.path[:-4], found.path[:-4])
            journal.start(job.id)
            journal.record_published(job.id)
            journal.record_done(job.id)


def idle(watched: Watched, seconds: float) -> dict[str, float]:
    """CPU seconds per hour of the idle daemon and of the idle engine."""
    pids = {"daemon": watched.pid, "engine": int(watched.status()["engine_pid"])}
    before = {name: usage_of(pid) for name, pid in pids.items()}
    began_s = time.monotonic()
    time.sleep(seconds)
    hours = (time.monotonic() - began_s) / 3600
    found = {}
    for name, pid in pids.items():
        was, now = before[name], usage_of(pid)
        assert was is not None and now is not None
        found[name] = (now.cpu_s - was.cpu_s) / hours
    return found


def latency_s(watched: Watched, number: int) -> float:
    """Seconds from the last write to a new vocal until its job is at work."""
    sound = song(number, 7, 2.0)
    # Written in place under its final name, as most copies are.
    file = watched.root / "inbox" / "singer 0" / f"new {number}.wav"
    soundfile.write(file, np.maximum(sound, -0.9), 8_000, subtype="PCM_16")
    began_s = time.monotonic()
    deadline_s = began_s + 600
    while time.monotonic() < deadline_s:
        running = watched.status().get("running")
        if running and f"new {number}.wav" in running["name"]:
            return time.monotonic() - began_s
        if (watched.root / "outbox" / "singer 0" / f"new {number}").exists():
            return time.monotonic() - began_s  # it was done before the first poll
        time.sleep(0.02)
    sys.exit(f"{file}: not at work after 600 s; the service says {watched.status()}")


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--pack", type=Path, default=Path("packs/reference"))
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--idle", type=float, default=120.0, help="seconds over which idle cost is measured")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--settle", type=float, default=10.0)
    parser.add_argument("--scan", type=float, default=5.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "intake": {"settle_s": options.settle, "scan_s": options.scan, "silent_tail_s": options.settle},
            "work": {"threads": 1, "tune": False},
            "publish": {"archive_sources": False},
        }
        watched = Watched(Path(folder), options.pack, settings)
        lay_old_files(watched, options.files)
        with watched.running():
            watched.until(lambda: watched.status()["settling"] == 0)
            status = watched.status()
            costs = idle(watched, options.idle)
            waits_s = []
            for number in range(options.repeats):
                waits_s.append(latency_s(watched, number))
                watched.until(lambda: watched.status()["state"] == "idle")  # otherwise the next would queue
    promised_s = options.settle + 2 * options.scan
    print(f"{options.files:,} old files, a scan every {options.scan:g} s, load {os.getloadavg()[0]:.1f}\n")
    print("| what | measured |\n|---|---|")
    print(f"| one scan | {status['scan_seconds'] * 1000:.0f} ms |")
    for name, cost in costs.items():
        print(f"| idle {name}, CPU seconds per hour | {cost:.1f} |")
    times = ", ".join(f"{wait:.1f}" for wait in waits_s)
    print(f"| last write to working, s (promised {promised_s:g}) | {times} |")
    print(f"| median, s | {statistics.median(waits_s):.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
