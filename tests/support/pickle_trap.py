"""An object whose pickle leaves a file behind when it is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


class Trap:
    """Unpickling it creates the file ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)
