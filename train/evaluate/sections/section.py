"""A section of the report: measured once, stored as JSON, described from that JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from appliance.files.whole import write_whole
from train.evaluate.sections.facts import without_nan
from train.evaluate.sections.setting import EvaluationSetting

Facts = dict[str, Any]
"""Measurements in the form of JSON: estimates as ``{"value", "low", "high", "n"}``, NaN as None."""

OPTIONAL = frozenset({"fp32", "undistilled", "baseline", "others", "cache"})
"""Parts of :meth:`EvaluationSetting.question` that concern some sections only."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section; ``measure`` takes minutes, ``describe`` (Markdown) and ``draw`` (PNG) need only its
    facts."""

    name: str
    title: str
    measure: Callable[[EvaluationSetting], Facts]
    describe: Callable[[Facts], str]
    draw: Callable[[Facts, Path], None] | None = None
    needs: tuple[str, ...] = ()
    """Attributes of the setting that it needs; without them the section is skipped."""

    asks: tuple[str, ...] = ()
    """Which of :data:`OPTIONAL` affect its answer, though it does without them."""

    def possible(self, setting: EvaluationSetting) -> bool:
        """Whether the setting has everything that the section needs."""
        return all(getattr(setting, name) is not None for name in self.needs)

    def question(self, setting: EvaluationSetting) -> Facts:
        """The question that a stored section must have answered to be reused."""
        asked = setting.question()
        optional = OPTIONAL - {*self.needs, *self.asks}
        return {name: value for name, value in asked.items() if name not in optional}

    def run(self, setting: EvaluationSetting, folder: Path) -> Facts:
        """The stored facts of the section; measures them first if they are missing or outdated."""
        facts = self.stored(setting, folder)
        if facts is None:
            begun = time.monotonic()
            facts = cast(Facts, without_nan(self.measure(setting)))
            kept = {
                "title": self.title,
                "question": self.question(setting),
                "seconds": round(time.monotonic() - begun, 1),
                "facts": facts,
            }
            text = json.dumps(kept, indent=1, allow_nan=False) + "\n"
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / f"{self.name}.json", text.encode())
        return facts

    def stored(self, setting: EvaluationSetting, folder: Path) -> Facts | None:
        """The facts stored in ``folder`` for this setting; None if there are none."""
        file = folder / f"{self.name}.json"
        if not file.is_file():
            return None
        kept = json.loads(file.read_text())
        same = kept.get("question") == self.question(setting)
        return kept["facts"] if same else None
