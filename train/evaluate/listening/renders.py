"""Renders of one vocal to listen to: each style of a pack, and three takes at default settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.composing.wishes import Wishes
from appliance.rendering.engine import Engine
from appliance.rendering.job import RenderJob
from appliance.rendering.receipt import Receipt
from appliance.rendering.render import render
from train.evaluate.listening.piano_rolls import TAKES


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mix of voice and band, and what its receipt says."""

    mix: Path
    receipt: Receipt


def render_style(engine: Engine, vocal: Path, folder: Path, style: str) -> Rendered:
    """One take in ``style`` at default settings, below ``folder``.

    Raises:
        BacklineError: as the appliance does.
    """
    (found,) = _rendered(engine, vocal, folder / style, Wishes(style=style))
    return found


def render_takes(engine: Engine, vocal: Path, folder: Path, style: str) -> list[Rendered]:
    """Three takes in the order of the job's numbers, the best fit first.

    Raises:
        BacklineError: as the appliance does.
    """
    return _rendered(engine, vocal, folder / "takes", Wishes(style=style, takes=TAKES))


def _rendered(engine: Engine, vocal: Path, folder: Path, wishes: Wishes) -> list[Rendered]:
    receipts = render(engine, RenderJob(vocal, folder, wishes, overwrite=True), "listening")
    return [Rendered(_mix(folder, receipt.facts), receipt) for receipt in receipts]


def _mix(folder: Path, facts: Mapping[str, object]) -> Path:
    files = facts["files"]
    assert isinstance(files, dict)
    name = next(name for name in files if name.endswith(".mix.wav"))
    return next(folder.rglob(name))
