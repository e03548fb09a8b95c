"""Measures the cases of a schedule round by round and collects the results in one JSON-like dictionary.

This process loads no graphs and stays small, because a child's peak memory is at least its parent's size.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.agreement import matrix
from bench.job import Job, notes_in_common, render
from bench.mask import Mask, mask
from bench.order import rounds
from bench.process import Failed, forget_cached, libraries, run
from bench.render import vocal_of
from bench.schedule import Case, GraphCase, Schedule, StartCase, measured_once, needed_lengths

REPEATS = 7
"""Forward passes of each graph in each round."""


class Collector:
    """Measures into ``found``; keeps vocals, inputs, outputs and caches in ``folder``."""

    def __init__(self, schedule: Schedule, packs: dict[str, Path], source: Path, folder: Path) -> None:
        self.schedule = schedule
        self.packs = packs
        self.folder = folder
        self.found: dict[str, Any] = {"jobs": {}, "graphs": {}, "starts": {}, "skipped": []}
        self._masks: dict[str, Mask] = {}
        self._notes: dict[str, frozenset[tuple[int, int, int]]] = {}
        self._vocals: dict[float, Path] = {}
        for seconds in needed_lengths(schedule.cases()):
            self._vocals[seconds] = folder / f"vocal-{seconds:g}.wav"
            vocal_of(source, seconds, self._vocals[seconds])

    def usable_masks(self) -> list[str]:
        """The schedule's masks that work on this CPU; ``skipped`` says why others do not."""
        for name in self.schedule.masks:
            try:
                self._masks[name] = mask(None if name == "host" else name)
            except ValueError as error:
                self.found["skipped"].append(str(error))
        self.found["masks"] = {name: str(chosen) for name, chosen in self._masks.items()}
        return list(self._masks)

    def prepare(self, say: Callable[[str], None]) -> None:
        """Record the graphs' inputs, then start once under each mask.

        That start fills the mask's cache of compiled graphs and searches the libraries for CPUID.
        """
        say("recording a job")
        vocal = self._vocals[self.schedule.short_s]
        command = [sys.executable, "-m", "bench.graph_inputs", vocal, self.packs["INT8"], self.folder]
        run(Mask("host", "none"), command)
        self.found["flops"] = json.loads((self.folder / "flops.json").read_text())
        for name in self.usable_masks():
            for precision, pack in self.packs.items():
                say(f"first start, not counted: {name} {precision}")
                self._start(name, precision, pack)

    def measure(self, max_rounds: int, budget_s: float, say: Callable[[str], None]) -> None:
        """Measure the cases in rounds; ``skipped`` says why a case failed."""
        cases = [case for case in self.schedule.cases() if case.mask in self._masks]
        for number, case in rounds(cases, max_rounds, budget_s, time.monotonic, measured_once):
            say(f"round {number + 1}: {case.name}")
            self.found["rounds"] = number + 1
            try:
                self._take(case)
            except Failed as error:
                self.found["skipped"].append(f"{case.name}: {str(error).strip().splitlines()[-1]}")
        self.found["agreement"] = self._agreement()

    def _take(self, case: Case) -> None:
        if isinstance(case, Job):
            self._job(case)
        elif isinstance(case, GraphCase):
            self._graphs(case.mask)
        else:
            self._started(case)

    def _cache(self, name: str, precision: str) -> Path:
        """A cache for each mask: OpenVINO names compiled graphs after the true CPU and would mix them up."""
        return self.folder / f"cache-{name}-{precision}"

    def _job(self, job: Job) -> None:
        vocal, cache = self._vocals[job.audio_s], self._cache(job.mask, job.precision)
        done = render(job, self._masks[job.mask], vocal, self.packs[job.precision], cache)
        facts = {"mask": job.mask, "precision": job.precision, "audio_s": job.audio_s}
        facts |= {"takes": job.takes, "cores": job.cores, "wall_s": [], "cpu_s": [], "peak_bytes": []}
        entry = self.found["jobs"].setdefault(job.name, {**facts, "stages_s": {}})
        for key in ("wall_s", "cpu_s", "peak_bytes"):
            entry[key].append(getattr(done.process, key))
        entry["retried"] = done.retried
        for stage, seconds in done.stages_s.items():
            entry["stages_s"].setdefault(stage, []).append(seconds)
        if (job.audio_s, job.takes, job.precision) == (self.schedule.short_s, 1, "INT8"):
            self._notes[job.mask] = done.notes

    def _start(self, name: str, precision: str, pack: Path) -> Any:
        cache = {"CACHE_DIRECTORY": str(self._cache(name, precision))}
        return run(self._masks[name], [sys.executable, "-m", "bench.start_worker", pack], environment=cache)

    def _started(self, case: StartCase) -> None:
        precision = "INT8" if case.how == "warm" else "INT8-empty"
        if case.how != "warm":
            shutil.rmtree(self._cache(case.mask, precision), ignore_errors=True)
        if case.how == "cold":
            forget_cached([self.packs["INT8"], *libraries()])
        done = self._start(case.mask, precision, self.packs["INT8"])
        facts = {"mask": case.mask, "how": case.how, "wall_s": [], "peak_bytes": [], "disk_bytes": []}
        entry = self.found["starts"].setdefault(case.name, facts)
        for key in ("wall_s", "peak_bytes", "disk_bytes"):
            entry[key].append(getattr(done, key))

    def _graphs(self, name: str) -> None:
        threads = len(os.sched_getaffinity(0))
        outputs = self.folder / f"outputs-{name}.npz"
        command = [sys.executable, "-m", "bench.graph_worker", self.folder / "inputs.npz", outputs]
        command += [str(REPEATS), str(threads), *self.packs.values()]
        made = json.loads(run(self._masks[name], command).output)
        packs = dict(zip(self.packs, made["packs"], strict=True))
        entry = self.found["graphs"].setdefault(name, {"packs": packs, "roof": {"int8": [], "fp32": []}})
        for kind, seconds in made["roof"].items():
            entry["roof"][kind] += seconds
        if entry["packs"] is not packs:
            for precision, pack in packs.items():
                for graph, seconds in pack["seconds"].items():
                    entry["packs"][precision]["seconds"][graph] += seconds

    def _agreement(self) -> dict[str, Any]:
        """SNR matrices in dB by precision and graph, and the share of notes in common."""
        agreement: dict[str, Any] = {}
        arrays = {}
        for name in self.found["graphs"]:
            with np.load(self.folder / f"outputs-{name}.npz", allow_pickle=False) as stored:
                arrays[name] = dict(stored)
        for number, precision in enumerate(self.packs):
            keys = [key for key in next(iter(arrays.values()), {}) if key.startswith(f"{number}/")]
            agreement[precision] = {
                key.partition("/")[2]: matrix({name: found[key] for name, found in arrays.items()})
                for key in keys
            }
        agreement["notes"] = {
            a: {b: notes_in_common(self._notes[a], self._notes[b]) for b in self._notes if b != a}
            for a in self._notes
        }
        return agreement
