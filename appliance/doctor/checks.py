"""What a check found, and the report of all checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from appliance.errors import MachineError


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check: ``status`` is ``ok``, ``warn`` or ``fail``; ``facts`` can be written as JSON.

    The command ends with ``exit_code`` if this is the first failed check.
    """

    name: str
    status: str
    sentence: str
    remedy: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    exit_code: int = MachineError.exit_code
    lines: tuple[str, ...] = ()
    """Further lines for the terminal, such as a table."""


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """All checks, in their order."""

    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> int:
        """The exit code of the first failed check, 0 if none failed (docs/options.md, "Exit codes")."""
        return next((check.exit_code for check in self.checks if check.status == "fail"), 0)

    def to_json(self) -> dict[str, Any]:
        """The report as dicts and lists, for JSON."""
        checks = [asdict(check) for check in self.checks]
        return {"ok": self.exit_code == 0, "exit_code": self.exit_code, "checks": checks}


def first_letter_up(sentence: str) -> str:
    """``sentence`` with a capital letter at its start, for a remedy cut off an error's sentence."""
    return sentence[:1].upper() + sentence[1:]
