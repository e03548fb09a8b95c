"""Ten thousand old files: what a service costs that has nothing to do, and how soon it notices a new one.

    python -m bench.watch_idle --pack packs/reference --files 10000 --idle 120 --repeats 5

Half of the old files in the inbox have been rendered and were left there, half have names that are never
taken; as many again lie in the archive. The cost is what the processes used, a whole hour of it; picking up
is timed from the last write to a vocal until its job is ``working``, and should take at most
``settle_s`` and two looks.
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
from bench.watch_service import Watched, held
from bench.watch_soak import song


def lay(watched: Watched, files: int) -> None:
    """Old files: in the inbox, a hundred a folder, and in the archive; the journal knows who was rendered."""
    for number in range(files):
        singer = f"singer {number // 100}"
        name = f"take {number}.wav" if number % 2 else f"take {number}.wav.part"
        for root in ("inbox", "archive"):
            file = watched.root / root / singer / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"%d" % number)
    config = Config.read(watched.root / "backline.toml")
    with Journal(config.folders.state) as journal:
        journal._db.execute("PRAGMA synchronous = OFF")  # only here: nobody will miss this journal
        for found in scan(config.folders.inbox, config.intake).found:
            digest = hashlib.sha256(found.path).hexdigest()
            job = journal.add(found, digest, "0" * 64, "{}", found.path[:-4], found.path[:-4])
            journal.start(job.id)
            journal.record_published(job.id)
            journal.record_done(job.id)


def idle(watched: Watched, seconds: float) -> dict[str, float]:
    """Processor seconds an hour of the daemon and of the engine, while nothing happens."""
    pids = {"daemon": watched.pid, "engine": int(watched.status()["engine_pid"])}
    before = {name: held(pid) for name, pid in pids.items()}
    began_s = time.monotonic()
    time.sleep(seconds)
    hours = (time.monotonic() - began_s) / 3600
    found = {}
    for name, pid in pids.items():
        was, now = before[name], held(pid)
        assert was is not None and now is not None
        found[name] = (now.cpu_s - was.cpu_s) / hours
    return found


def picked_up(watched: Watched, number: int) -> float:
    """Seconds from the last write to a new vocal until it is at work."""
    sound = song(number, 7, 2.0)
    # A name that is written in place, as most copies are.
    file = watched.root / "inbox" / "singer 0" / f"new {number}.wav"
    soundfile.write(file, np.maximum(sound, -0.9), 8_000, subtype="PCM_16")
    began_s = time.monotonic()
    deadline_s = began_s + 600
    while time.monotonic() < deadline_s:
        running = watched.status().get("running")
        if running and f"new {number}.wav" in running["name"]:
            return time.monotonic() - began_s
        if (watched.root / "outbox" / "singer 0" / f"new {number}").exists():
            return time.monotonic() - began_s  # it was quicker than we ask
        time.sleep(0.02)
    sys.exit(f"{file} was never at work: {watched.status()}")


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--pack", type=Path, default=Path("packs/reference"))
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--idle", type=float, default=120.0, help="seconds of doing nothing")
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
        lay(watched, options.files)
        with watched.running():
            watched.until(lambda: watched.status()["settling"] == 0)
            status = watched.status()
            costs = idle(watched, options.idle)
            waits_s = []
            for number in range(options.repeats):
                waits_s.append(picked_up(watched, number))
                watched.until(lambda: watched.status()["state"] == "idle")  # else the next waits its turn
    promised_s = options.settle + 2 * options.scan
    print(f"{options.files:,} old files, a look every {options.scan:g} s, load {os.getloadavg()[0]:.1f}\n")
    print("| what | measured |\n|---|---|")
    print(f"| one look | {status['scan_seconds'] * 1000:.0f} ms |")
    for name, cost in costs.items():
        print(f"| idle {name}, CPU seconds an hour | {cost:.1f} |")
    times = ", ".join(f"{wait:.1f}" for wait in waits_s)
    print(f"| last write to working, s (promised {promised_s:g}) | {times} |")
    print(f"| median, s | {statistics.median(waits_s):.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
