"""Reports the daemon's status to systemd's status line and to Prometheus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from appliance.watch.reports.logs import ERROR, WARNING, log
from appliance.watch.reports.systemd import Notifier
from appliance.watch.service.snapshot import Snapshot
from appliance.watch.settings.config import MetricsSettings

if TYPE_CHECKING:
    from appliance.watch.service.metrics import Metrics

REPORT_INTERVAL_S = 2.0
WRITE_INTERVAL_S = 15.0


class Outlets:
    """Reports snapshots at regular intervals."""

    def __init__(self, settings: MetricsSettings, notifier: Notifier) -> None:
        self._notifier = notifier
        self._reported_s = float("-inf")
        self._written_s = float("-inf")
        self._address = ""
        self.troubles: dict[str, str] = {}
        """By setting: why metrics cannot be served or written."""
        self._metrics: Metrics | None = None
        self.reconfigure(settings)

    def reconfigure(self, settings: MetricsSettings) -> None:
        """Apply the settings of Prometheus."""
        wanted = self._settings = settings
        if not wanted.textfile:
            self.troubles.pop("metrics.textfile", None)
        if not wanted.listen and not wanted.textfile:
            self.troubles.clear()
            self.close()
            return
        from appliance.watch.service.metrics import Metrics  # import only if it is used

        if self._metrics is None:
            self._metrics = Metrics()
        if wanted.listen == self._address:
            return
        self._metrics.close()
        self._address = ""
        self.troubles.pop("metrics.listen", None)
        if wanted.listen:
            try:
                self._metrics.listen(wanted.listen)
                self._address = wanted.listen
            except OSError as error:
                self.troubles["metrics.listen"] = f"{wanted.listen} cannot be used: {error.strerror or error}"
                log(ERROR, "Metrics cannot be served.", address=wanted.listen, reason=str(error))

    def close(self) -> None:
        """Stop serving."""
        if self._metrics is not None:
            self._metrics.close()
        self._metrics, self._address = None, ""

    def due(self, now_s: float) -> bool:
        """Whether the next report is due."""
        return now_s - self._reported_s >= REPORT_INTERVAL_S

    def report(self, snapshot: Snapshot, now_s: float) -> None:
        """Report a snapshot to systemd and Prometheus."""
        self._reported_s = now_s
        self._notifier.status(snapshot.sentence)
        if self._metrics is None:
            return
        self._metrics.update(snapshot)
        textfile = self._settings.textfile
        if isinstance(textfile, Path) and now_s - self._written_s >= WRITE_INTERVAL_S:
            self._written_s = now_s
            try:
                self._metrics.write(textfile)
                self.troubles.pop("metrics.textfile", None)
            except OSError as error:
                if "metrics.textfile" not in self.troubles:
                    log(WARNING, "Metrics cannot be written.", file=textfile, reason=str(error))
                self.troubles["metrics.textfile"] = f"{textfile} cannot be written: {error.strerror or error}"
