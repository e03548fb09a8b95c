"""Progress: a bar with the remaining time on a terminal, otherwise one line per item."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar("Item")


def steps(items: Sequence[Item], what: str, name: Callable[[Item], str]) -> Iterator[Item]:
    """Yield the items and show progress on stderr."""
    console = Console(stderr=True)
    if not console.is_terminal:
        begun = time.monotonic()
        for k, item in enumerate(items, 1):
            yield item
            took = time.monotonic() - begun
            print(f"{what}: {k}/{len(items)} {name(item)} ({took:.0f} s)", file=sys.stderr, flush=True)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(what, total=len(items))
        for item in items:
            bar.update(task, description=f"{what}: {name(item)}")
            yield item
            bar.advance(task)
