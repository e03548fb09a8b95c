"""What commands show of their work: a progress bar, and a table of what was rendered."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

    from appliance.rendering.receipt import Receipt


def progress_bar() -> Progress:
    """A progress bar on standard error, if that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    return Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal)


def print_table(receipts: list[Receipt]) -> None:
    """Print one line for each receipt."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("file", "seconds", "key", "tempo", "fit", "real-time factor")
    for receipt in receipts:
        facts = receipt.facts
        name = next(n for n in facts["files"] if n.endswith(".accompaniment.wav"))
        factor = f"{facts['real_time_factor']:.3f}"
        seconds = f"{facts['vocal']['duration_s']:.1f}"
        table.add_row(Text(name), seconds, receipt.key, receipt.tempo, receipt.fit, factor)
    Console(width=None if sys.stdout.isatty() else 100).print(table)
