"""Send hours of audio through the watched folder and measure whether memory and descriptors grow.

    python -m bench.watch_soak FOLDER --pack packs/reference --files 480 --minutes 3

Every file is another song, made of sines, in mono FLAC at a low rate. After each song one line per process is
appended to FOLDER/samples.csv. Results are checked for their length and then removed, except every hundredth.
When stopped and started again, it continues. ``--report`` only prints the table of what was measured so far.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from bench.watch_service import Watched, children, usage_of

RATE_HZ = 8_000
SCALE = (0, 2, 4, 5, 7, 9, 11, 12)
KEPT = 100
QUEUED = 4
COLUMNS = ("file", "wall_s", "audio_s", "process", "pid", "rss_kb", "descriptors", "threads", "cpu_s")


def song(number: int, seed: int, seconds: float) -> np.ndarray:
    """A song as (N,) float32 samples at :data:`RATE_HZ`.

    Half-second notes of a major scale, with eight harmonics and vibrato.
    """
    choice = np.random.default_rng([seed, number])
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    index = (time_s * 2).astype(int)
    steps = np.clip(np.cumsum(choice.integers(-2, 3, index[-1] + 1)) % 14, 0, 7)
    pitch = choice.integers(48, 64) + np.array(SCALE)[steps][index] + 0.2 * np.sin(35 * time_s)
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((pitch - 69) / 12)) / RATE_HZ
    inside = time_s * 2 - index
    envelope = np.clip(inside / 0.06, 0, 1) * np.clip((1 - inside) / 0.1, 0, 1)
    tone = sum(np.sin(k * phase) / k**1.3 for k in range(1, 9))
    return (0.2 * tone * envelope).astype(np.float32)


@dataclass
class Soak:
    """The run: drops songs into the inbox, checks results and appends measurements to ``samples``."""

    watched: Watched
    files: int
    seconds: float
    seed: int
    decoder_peak_kb: int = 0
    decoder_descriptors: int = 0
    began_s: float = field(default_factory=time.monotonic)

    @property
    def samples(self) -> Path:
        return self.watched.root / "samples.csv"

    def run(self) -> None:
        """Run until every song has been rendered."""
        root = self.watched.root
        finished = {row["file"] for row in rows(self.samples)}
        left = [n for n in range(self.files) if str(n) not in finished]
        waiting: list[int] = []
        while left or waiting:
            while left and len(waiting) < QUEUED:
                self._drop(left[0])
                waiting.append(left.pop(0))
            self._look_at_decoder()
            for number in [n for n in waiting if (root / "archive" / f"{n}.flac").exists()]:
                waiting.remove(number)
                self._finish(number)
            refused = list((root / "rejected").glob("*/reason.txt"))
            if refused:
                sys.exit(f"{refused[0]}:\n{refused[0].read_text()}")
            time.sleep(0.1)

    def _drop(self, number: int) -> None:
        root = self.watched.root
        if (root / "archive" / f"{number}.flac").exists() or (root / "inbox" / f"{number}.flac").exists():
            return
        part = root / "inbox" / f"{number}.flac.part"
        sound = song(number, self.seed, self.seconds)
        soundfile.write(part, sound, RATE_HZ, subtype="PCM_16", format="FLAC")
        part.rename(part.with_suffix(""))

    def _look_at_decoder(self) -> None:
        for engine in children(self.watched.pid):
            for child in children(engine):
                if (now := usage_of(child)) is not None:
                    self.decoder_peak_kb = max(self.decoder_peak_kb, now.rss_kb)
                    self.decoder_descriptors = max(self.decoder_descriptors, now.descriptors)

    def _finish(self, number: int) -> None:
        root = self.watched.root
        result = root / "outbox" / str(number)
        receipt = json.loads(next(result.glob("*.receipt.json")).read_text())
        length = soundfile.info(next(result.glob("*.mix.wav"))).frames
        if length != round(self.seconds * 44_100) or not receipt["files"]:
            sys.exit(f"{result}: {length} samples, not as long as its song")
        if number % KEPT:
            shutil.rmtree(result)
        (root / "archive" / f"{number}.flac").write_bytes(b"")  # the name alone records that it is done
        status = self.watched.status()
        new = not self.samples.exists()
        with self.samples.open("a", newline="") as file:
            out = csv.writer(file)
            if new:
                out.writerow(COLUMNS)
            for name, pid in (("daemon", self.watched.pid), ("engine", status.get("engine_pid", 0))):
                if (now := usage_of(pid)) is not None:
                    wall_s = round(time.monotonic() - self.began_s, 1)
                    out.writerow((number, wall_s, self.seconds, name, pid, *now))
            peak = (self.decoder_peak_kb, self.decoder_descriptors, 0, 0.0)
            out.writerow(
                (number, round(time.monotonic() - self.began_s, 1), self.seconds, "decoder", 0, *peak)
            )
        print(
            f"{number + 1} of {self.files}, {time.monotonic() - self.began_s:.0f} s, {status.get('counts')}"
        )
        sys.stdout.flush()
        self.decoder_peak_kb = self.decoder_descriptors = 0


def rows(samples: Path) -> list[dict[str, Any]]:
    """The rows of a samples file; none if it does not exist."""
    if not samples.exists():
        return []
    with samples.open(newline="") as file:
        return list(csv.DictReader(file))


def slope(hours: Sequence[float], values: Sequence[float], seed: int = 0) -> tuple[float, float, float]:
    """Least-squares slope per hour of audio, and its 95 % interval from 2,000 bootstraps of eight blocks.

    It draws blocks because neighbouring values are correlated.
    """
    x, y = np.asarray(hours), np.asarray(values)
    choice, blocks = np.random.default_rng(seed), np.array_split(np.arange(len(x)), 8)
    found = []
    for _ in range(2000):
        rows = np.concatenate([blocks[i] for i in choice.integers(0, 8, 8)])
        found.append(np.polyfit(x[rows], y[rows], 1)[0] if np.ptp(x[rows]) else 0.0)
    low, high = np.quantile(found, (0.025, 0.975))
    return float(np.polyfit(x, y, 1)[0]), float(low), float(high)


def report(samples: Path) -> str:
    """A table of each process at the quartiles of the run, with the slope after the first tenth."""
    found = rows(samples)
    lines = [
        "| process | what | 1st | 1/4 | 1/2 | 3/4 | last | files | slope per hour of audio (95 %) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for process in ("daemon", "engine", "decoder"):
        own = [row for row in found if row["process"] == process]
        hours = np.cumsum([float(row["audio_s"]) for row in own]) / 3600
        for column, unit in (("rss_kb", "MB"), ("descriptors", "open"), ("threads", "threads")):
            values = np.array([float(row[column]) for row in own]) / (1024 if unit == "MB" else 1)
            if not len(own) or (process == "decoder" and unit == "threads"):
                continue
            at = [values[round(q * (len(values) - 1))] for q in (0, 0.25, 0.5, 0.75, 1)]
            rest = slice(len(own) // 10, None)
            text = "too few files"
            if len(own) >= 24:
                text = "{:+.3f} ({:+.3f} to {:+.3f})".format(*slope(hours[rest], values[rest]))
            cells = " | ".join(f"{value:.1f}" for value in at)
            lines.append(f"| {process} | {unit} | {cells} | {len(own)} | {text} |")
    engines = {row["pid"] for row in found if row["process"] == "engine"}
    hours_done = sum(float(row["audio_s"]) for row in found if row["process"] == "daemon") / 3600
    lines.append(f"\n{hours_done:.2f} h of audio, {len(engines)} engine process(es)")
    return "\n".join(lines)


def main() -> int:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pack", type=Path, default=Path("packs/reference"))
    parser.add_argument("--files", type=int, default=480)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", action="store_true", help="only print what was measured so far")
    options = parser.parse_args()
    if not options.report:
        settings = {
            "intake": {"settle_s": 1.0, "scan_s": 1.0, "silent_tail_s": 1.0},
            "work": {"pack": str(options.pack.resolve()), "threads": 1, "tune": False},
        }
        watched = Watched(options.folder.resolve(), options.pack, settings)
        with watched.running():
            Soak(watched, options.files, options.minutes * 60, options.seed).run()
    print(report(options.folder / "samples.csv"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
