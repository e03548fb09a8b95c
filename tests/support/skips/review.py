"""``python -m support.skips.review RECORD LIST``: are all skipped tests on the list, and the list up to date?

RECORD is what :mod:`recorder` wrote, in one run or several: a test that ran in any of them was not skipped.
LIST has a line ``TEST: REASON`` for each skip that is expected, sorted. TEST is the id of a test, of a
parametrised test or of a file; REASON is how the reason begins. Lines that begin with ``#`` are comments.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Expected:
    """A line of the list."""

    test: str
    reason: str

    def covers(self, test: str) -> bool:
        return test == self.test or test.startswith((f"{self.test}::", f"{self.test}["))

    def explains(self, test: str, reason: str) -> bool:
        return self.covers(test) and reason.startswith(self.reason)

    def __str__(self) -> str:
        return f"{self.test}: {self.reason}"


def read_list(file: Path) -> list[Expected]:
    """The expected skips. Raises ``ValueError`` for a line without a reason and for lines out of order."""
    lines = [line for line in file.read_text().splitlines() if line.strip() and line[0] != "#"]
    for line in lines:
        if not all(part.strip() for part in line.partition(": ")):
            raise ValueError(f"{file}: write 'TEST: REASON' instead of {line!r}")
    if lines != sorted(lines):
        raise ValueError(f"{file}: the lines are not sorted")
    return [Expected(*line.split(": ", 1)) for line in lines]


def read_record(file: Path) -> dict[str, str | None]:
    """Why each test was skipped; None for a test that ran at least once."""
    reasons: dict[str, str | None] = {}
    for line in file.read_text().splitlines():
        told = json.loads(line)
        if reasons.get(told["test"], "") is not None:
            reasons[told["test"]] = told["skipped"]
    return reasons


@dataclass(frozen=True)
class Review:
    """What a run skipped, held against the list."""

    skipped: Mapping[str, str]
    """Reason by test."""
    unexpected: Sequence[str]
    """Skipped tests that no line explains."""
    did_not_happen: Sequence[Expected]
    """Lines whose tests all ran."""
    impossible: Sequence[Expected]
    """Lines for tests that do not exist."""

    @property
    def good(self) -> bool:
        return not self.unexpected and not self.impossible

    def report(self) -> str:
        lines = [f"{len(self.skipped)} skipped:"]
        lines += [f"  {test}: {reason}" for test, reason in sorted(self.skipped.items())]
        for title, found in (
            ("Not skipped in this run, though on the list", self.did_not_happen),
            ("FAILED: on the list, but there is no such test; remove the line", self.impossible),
            ("FAILED: not on the list; make the test run, or add a line that says why not", self.unexpected),
        ):
            if found:
                lines += [f"{title}:", *(f"  {each}" for each in found)]
        return "\n".join(lines)


def review(record: Mapping[str, str | None], expected: Sequence[Expected]) -> Review:
    """Compares what happened with what was expected."""
    skipped = {test: reason for test, reason in record.items() if reason is not None}
    unused = [line for line in expected if not any(line.explains(*skip) for skip in skipped.items())]
    return Review(
        skipped,
        [test for test in sorted(skipped) if not any(e.explains(test, skipped[test]) for e in expected)],
        [line for line in unused if any(map(line.covers, record))],
        [line for line in unused if not any(map(line.covers, record))],
    )


def main(arguments: Sequence[str]) -> int:
    """Prints the skipped tests; 1 if one is not on the list, or a line names no test."""
    record, listed = map(Path, arguments)
    found = review(read_record(record), read_list(listed))
    print(found.report())
    return 0 if found.good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
