"""Where the time of a render goes, and how much of it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

LISTENING, DENOISING, PLAYING, MASTERING = 0.24, 0.27, 0.21, 0.28
"""Shares of a job's time, as measured on two cores; the progress bar's estimate rests on them."""


@dataclass(slots=True)
class Stopwatch:
    """Seconds a stage, and the share of the job that is done (0-1), of which ``on_progress`` is told."""

    on_progress: Callable[[float], None]
    seconds: dict[str, float] = field(default_factory=dict)
    done: float = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds the time until the block ends to stage ``name``."""
        started = time.monotonic()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started

    def advance(self, share: float) -> None:
        """So much more of the job is done."""
        self.done = min(1.0, self.done + share)
        self.on_progress(self.done)
