"""Numbers for Prometheus: on a loopback port, or as a file for node_exporter's textfile collector.

The daemon hands over a :class:`~appliance.watch.service.snapshot.Snapshot` now and then. A scrape reads the
last one: neither waits for the other.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

from prometheus_client import CollectorRegistry, start_http_server, write_to_textfile
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from appliance.watch.journal.states import STATES
from appliance.watch.service.snapshot import Snapshot


class Metrics(Collector):
    """What Prometheus gets to see. Names follow its conventions: base units, ``_total`` for counters."""

    def __init__(self) -> None:
        self._status: Snapshot | None = None
        self._told_s = 0.0
        self._server: tuple[Any, Thread] | None = None
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def update(self, status: Snapshot) -> None:
        """The state of things from now on."""
        self._told_s, self._status = time.monotonic(), status

    def listen(self, address: str) -> None:
        """Serves ``host:port`` from a thread; raises OSError."""
        host, _, port = address.rpartition(":")
        self._server = start_http_server(int(port), host.strip("[]"), self._registry)

    def close(self) -> None:
        """Stops serving."""
        if self._server is not None:
            self._server[0].shutdown()
            self._server[0].server_close()
            self._server = None

    def write(self, file: Path) -> None:
        """Writes the textfile, whole or not at all; raises OSError."""
        write_to_textfile(str(file), self._registry)

    def collect(self) -> Iterator[Metric]:
        """The numbers of the last :meth:`update`. Called by the library, in a thread of its own."""
        status = self._status
        if status is None:
            return
        since_s = time.monotonic() - self._told_s
        running = status.running
        gauges: dict[str, tuple[str, float | None]] = {
            "up": ("Whether jobs are taken: 0 while starting, paused or stopping.", _up(status)),
            "queue_depth": ("Vocals that wait.", status.waiting),
            "settling_files": ("Files in the inbox that do not wait yet.", status.settling),
            "oldest_waiting_seconds": ("Age of the longest waiting vocal.", status.oldest_waiting_s or 0.0),
            "inbox_up": ("Whether the inbox is there.", float(status.inbox_there)),
            "scan_age_seconds": (
                "Since the last look at the inbox.",
                None if status.scan_age_s is None else status.scan_age_s + since_s,
            ),
            "scan_duration_seconds": ("Length of the last look.", status.scan_seconds),
            "outbox_free_bytes": (
                "Free space for results.",
                None if status.free_mb is None else float(status.free_mb << 20),
            ),
            "job_progress_ratio": (
                "Share of the running job that is done.",
                running.progress if running else None,
            ),
            "status_age_seconds": ("Since the service last told of itself.", since_s),
        }
        for name, (text, value) in gauges.items():
            if value is not None:
                yield GaugeMetricFamily(f"backline_{name}", text, value=value)
        jobs = GaugeMetricFamily("backline_jobs", "Jobs of the journal by state.", labels=["state"])
        for state in STATES:
            jobs.add_metric([state], status.counts.get(state, 0))
        yield jobs
        deaths = "Engines that died or were ended for taking too long."
        yield CounterMetricFamily("backline_engine_deaths", deaths, value=status.engine_deaths)


def _up(status: Snapshot) -> float:
    return float(status.state in ("idle", "working") and status.paused is None)
