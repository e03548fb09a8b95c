"""Measures CPU seconds of one job by stage; ``bench.stages`` runs it under a mask.

    python -m bench.stage_worker VOCAL PACK OUT

prints JSON. The appliance's two threads become one here, so that every second belongs to one stage. The sum
is the job's CPU time; with a second core the real job takes less wall time. Seconds of a stage exclude the
stages that it calls.
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
    "pitch": ["appliance.rendering.hearing:track_pitch", "appliance.rendering.hearing:check_vocal"],
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
        "appliance.rendering.hearing:measure_voice",
    ],
    "writing": ["appliance.audio.wav_writer:WavWriter.write", "appliance.audio.wav_writer:WavWriter.close"],
    "receipt, hashes": ["appliance.rendering.render:file_facts", "appliance.rendering.render:make_receipt"],
}
"""The functions that belong to each stage."""

REST = "blocks, copies, publishing"


def used_s() -> float:
    """CPU seconds of this process so far, over all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Stages:
    """Assigns CPU seconds to stages; ``cpu_s`` holds them by stage."""

    def __init__(self, at_first: str) -> None:
        self.cpu_s: dict[str, float] = defaultdict(float)
        self._stack = [at_first]
        self._since = 0.0  # counts from the start of the process

    def turn(self, stage: str | None) -> None:
        """Begin ``stage`` inside the current one; None ends the current one."""
        now = used_s()
        self.cpu_s[self._stack[-1]] += now - self._since
        self._since = now
        if stage is None:
            self._stack.pop()
        else:
            self._stack.append(stage)

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, with its seconds counted for ``stage``."""

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
    """Replaces ``appliance.system.threads.aside``: does the work in this thread, before the block begins."""

    class Done:
        def through(self, items: Any) -> Any:
            return items

        def result(self) -> Any:
            return found

    found = work(Done())
    yield Done()


class _NoPool:
    """Replaces a thread pool: does the work in this thread."""

    def __init__(self, *_: Any) -> None:
        self.map = map

    def __enter__(self) -> _NoPool:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def one_thread() -> None:
    """Make the appliance use a single thread."""
    for name in ("vocal.tracker", "playing.soundfont_band", "audio.loudness"):
        module = import_module(f"appliance.{name}")
        module.ahead = lambda items: (item for item in items)  # type: ignore[attr-defined]
    render, sound_files = (import_module(f"appliance.rendering.{name}") for name in ("render", "sound_files"))
    render.aside = sound_files.aside = _at_once  # type: ignore[attr-defined]
    render.ThreadPoolExecutor = _NoPool  # type: ignore[attr-defined]


def watch(stages: Stages) -> None:
    """Time every function in STAGES.

    Raises:
        AttributeError: a function is no longer there.
    """
    for stage, places in STAGES.items():
        for place in places:
            module, _, path = place.partition(":")
            owner: Any = import_module(module)
            *parents, name = path.split(".")
            for parent in parents:
                owner = getattr(owner, parent)
            setattr(owner, name, stages.timed(stage, getattr(owner, name)))


def main() -> int:
    """Render once and print the seconds by stage."""
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
