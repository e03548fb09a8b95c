"""The time of each stage of a render, and the render's progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

LISTENING, DENOISING, PLAYING, MASTERING = 0.24, 0.27, 0.21, 0.28
"""Shares of a job's time, measured on two cores, for the progress bar."""


@dataclass(slots=True)
class Stopwatch:
    """Seconds per stage, and the share of the job that is done, 0-1, which ``on_progress`` receives."""

    on_progress: Callable[[float], None]
    seconds: dict[str, float] = field(default_factory=dict)
    done: float = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the duration of the block to the stage ``name``."""
        started = time.monotonic()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started

    def advance(self, share: float) -> None:
        """Add ``share`` to the part of the job that is done."""
        self.done = min(1.0, self.done + share)
        self.on_progress(self.done)
