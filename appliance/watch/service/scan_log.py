"""Logs what a scan cannot read or does not touch, once for each file."""

from __future__ import annotations

from appliance.watch.inbox.scan import Scan
from appliance.watch.reports.logs import NOTICE, WARNING, log

MAX_LINES = 20
"""Lines after one scan; the next scans log the rest."""

MAX_REMEMBERED = 10_000


class ScanLog:
    """Remembers what was logged, as long as it is there."""

    def __init__(self) -> None:
        self._logged: set[tuple[bytes, str]] = set()

    def report(self, scan: Scan) -> None:
        """Log what is new in ``scan``."""
        found = [(it.path, it.sentence, WARNING) for it in scan.troubles]
        found += [(it.path, it.what, NOTICE) for it in scan.ignored]
        self._logged &= {(path, what) for path, what, _ in found}
        new = [entry for entry in found if entry[:2] not in self._logged]
        for path, what, level in new[: min(MAX_LINES, max(0, MAX_REMEMBERED - len(self._logged)))]:
            self._logged.add((path, what))
            if level == WARNING:
                log(level, "Part of the inbox cannot be read.", name=path or b"/", reason=what)
            else:
                log(level, "Ignored in the inbox.", name=path, what=what)
