"""The whole job from file to published files, by the command line, in a fresh process each time."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import mido

from bench.mask import Mask
from bench.process import Finished, run


@dataclass(frozen=True, slots=True)
class Job:
    """A render as a case of the bench: under which mask, with which pack (``precision``).

    ``cores`` is the number of cores it may use; 0 means all.
    """

    mask: str
    precision: str
    audio_s: float
    takes: int = 1
    cores: int = 0

    @property
    def name(self) -> str:
        """A short, unique name."""
        cores = f", {self.cores} of the cores" if self.cores else ""
        return f"{self.mask} {self.precision} {self.audio_s:g} s, {self.takes} takes{cores}"


@dataclass(frozen=True, slots=True)
class Rendered:
    """One run of a job: the process's use of time and memory, the receipt's seconds by stage, and the notes.

    ``retried`` says whether a take that fitted badly was drawn again, which doubles the forward passes.
    """

    process: Finished
    stages_s: dict[str, float]
    notes: frozenset[tuple[int, int, int]]
    retried: bool


def render(job: Job, chosen: Mask, vocal: Path, pack: Path, cache: Path) -> Rendered:
    """Run ``job`` once; ``cache`` holds compiled graphs.

    Raises:
        Failed: the command ended with an error.
    """
    with tempfile.TemporaryDirectory() as out:
        command = [
            *(sys.executable, "-m", "appliance", "render", vocal),
            *("--pack", pack, "--out", out, "--seed", "0", "--takes", str(job.takes), "--force"),
        ]
        process = run(chosen, command, job.cores, {"CACHE_DIRECTORY": str(cache)})
        receipts = sorted(Path(out).rglob("*.receipt.json"))
        facts = [json.loads(path.read_text()) for path in receipts]
        notes = notes_of(sorted(Path(out).rglob("*.mid"))[0])
    timings = [receipt.get("timings_s", {}) for receipt in facts]
    stages = {name: sum(float(t.get(name, 0.0)) for t in timings) for name in timings[0]}
    retried = any((receipt.get("fit") or {}).get("retried", False) for receipt in facts)
    return Rendered(process, stages, notes, retried)


def notes_of(path: Path) -> frozenset[tuple[int, int, int]]:
    """(channel, tick, key) of every note of a MIDI file."""
    notes = set()
    for track in mido.MidiFile(path).tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "note_on" and message.velocity:
                notes.add((message.channel, tick, message.note))
    return frozenset(notes)


def notes_in_common(one: frozenset[tuple[int, int, int]], other: frozenset[tuple[int, int, int]]) -> float:
    """Share of notes that two renders have in common, from 0 to 1 (F1 of one against the other)."""
    together = len(one) + len(other)
    return 2 * len(one & other) / together if together else 1.0
