"""Processor seconds of one job by stage, one stage after the other: run under a mask by ``bench.stages``.

    python -m bench.stage_worker VOCAL PACK OUT

What the appliance does in two threads is done in one here, so that every second belongs to one stage;
the sum is what the job costs the processors, and an idle second core makes the true job shorter than that.
A stage's figure is without the stages that it calls. Prints JSON.
"""

from __future__ import annotations

import functools
import json
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

STAGES = {
    "pack check": ["appliance.rendering.engine:load_pack"],
    "graphs": ["appliance.networks.graphs:Graphs.ready", "appliance.networks.graphs:Graphs._ready"],
    "soundfont": ["appliance.rendering.engine:SoundFont"],
    "decoding": ["soundfile:SoundFile.read", "appliance.audio.recording:_scan"],
    "pitch": ["appliance.rendering.render:track_pitch", "appliance.rendering.render:check_vocal"],
    "beats, key, chart": ["appliance.rendering.render:listen"],
    "planner": ["appliance.networks.graphs:Graphs.plan"],
    "notes": ["appliance.rendering.render:compose_takes"],
    "condition": ["appliance.networks.graphs:Graphs.condition"],
    "denoiser": ["appliance.networks.graphs:Graphs.velocity"],
    "VAE decoder": ["appliance.networks.graphs:Graphs.decode"],
    "fit": ["appliance.networks.graphs:Graphs.fit"],
    "band": ["appliance.playing.soundfont_band:_Stem.play"],
    "room": ["appliance.playing.placing:Place.put"],
    "mastering": [
        "appliance.rendering.sound_files:master",
        "appliance.rendering.sound_files:mixed",
        "appliance.rendering.render:integrated_lufs",
    ],
    "writing": ["appliance.audio.wav_writer:WavWriter.write", "appliance.audio.wav_writer:WavWriter.close"],
    "receipt, hashes": ["appliance.rendering.render:file_facts", "appliance.rendering.render:make_receipt"],
}
"""Functions by the stage that they are."""

REST = "blocks, copies, publishing"


def used_s() -> float:
    """Seconds of all processors that this process has taken so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Stages:
    """Whose seconds the present ones are."""

    def __init__(self, at_first: str) -> None:
        self.cpu_s: dict[str, float] = defaultdict(float)
        self._stack = [at_first]
        self._since = 0.0  # the start of the process counts

    def turn(self, stage: str | None) -> None:
        """``stage`` begins inside the present one; None: the present one ends."""
        now = used_s()
        self.cpu_s[self._stack[-1]] += now - self._since
        self._since = now
        if stage is None:
            self._stack.pop()
        else:
            self._stack.append(stage)

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, its seconds counted as those of ``stage``."""

        @functools.wraps(function)
        def counted(*values: Any, **more: Any) -> Any:
            self.turn(stage)
            try:
                return function(*values, **more)
            finally:
                self.turn(None)

        return counted


@contextmanager
def _at_once(work: Callable[[Any], Any]) -> Iterator[Any]:
    """``appliance.system.threads.aside`` in one thread: the work is done before the block begins."""

    class Done:
        def through(self, items: Any) -> Any:
            return items

        def result(self) -> Any:
            return found

    found = work(Done())
    yield Done()


class _NoPool:
    """A thread pool without threads."""

    def __init__(self, *_: Any) -> None:
        self.map = map

    def __enter__(self) -> _NoPool:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def one_thread() -> None:
    """Has the appliance do one thing after the other."""
    for name in ("vocal.tracker", "playing.soundfont_band", "audio.loudness"):
        module = import_module(f"appliance.{name}")
        module.ahead = lambda items: (item for item in items)  # type: ignore[attr-defined]
    render, sound_files = (import_module(f"appliance.rendering.{name}") for name in ("render", "sound_files"))
    render.aside = sound_files.aside = _at_once  # type: ignore[attr-defined]
    render.ThreadPoolExecutor = _NoPool  # type: ignore[attr-defined]


def watch(stages: Stages) -> None:
    """Puts a clock around every function of STAGES; a name that is gone is an error."""
    for stage, places in STAGES.items():
        for place in places:
            module, _, path = place.partition(":")
            owner: Any = import_module(module)
            *parents, name = path.split(".")
            for parent in parents:
                owner = getattr(owner, parent)
            setattr(owner, name, stages.timed(stage, getattr(owner, name)))


def main() -> int:
    """Render once, print the seconds."""
    began = time.perf_counter()
    stages = Stages("start, imports")
    from appliance.networks.cache import cache_folder
    from appliance.rendering.engine import Engine
    from appliance.rendering.job import RenderJob
    from appliance.rendering.render import render

    one_thread()
    watch(stages)
    vocal, pack, out = map(Path, sys.argv[1:])
    engine = Engine(pack, cache=cache_folder())
    stages.turn(REST)
    render(engine, RenderJob(vocal, out), "bench")
    stages.turn(None)
    print(
        json.dumps({"cpu_s": stages.cpu_s, "wall_s": time.perf_counter() - began, "load": os.getloadavg()[0]})
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
