"""Run a generator of steps to its end."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any


def finish(steps: Generator[None, None, Any]) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
