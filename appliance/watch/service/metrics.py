"""Metrics for Prometheus: on a loopback port, or as a file for node_exporter's textfile collector.

The daemon regularly passes a :class:`~appliance.watch.service.snapshot.Snapshot`, and a scrape reads the last
one, so neither waits for the other.
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

from appliance.watch.inbox.other_files import LEFT_KINDS
from appliance.watch.journal.states import STATES
from appliance.watch.service.snapshot import Snapshot


class Metrics(Collector):
    """The metrics. Names follow Prometheus' conventions: base units, ``_total`` for counters."""

    def __init__(self) -> None:
        self._status: Snapshot | None = None
        self._updated_s = 0.0
        self._server: tuple[Any, Thread] | None = None
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def update(self, status: Snapshot) -> None:
        """Replace the snapshot that scrapes read."""
        self._updated_s, self._status = time.monotonic(), status

    def listen(self, address: str) -> None:
        """Serve ``host:port`` from a thread. Raises OSError."""
        host, _, port = address.rpartition(":")
        self._server = start_http_server(int(port), host.strip("[]"), self._registry)

    def close(self) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server[0].shutdown()
            self._server[0].server_close()
            self._server = None

    def write(self, file: Path) -> None:
        """Write the textfile atomically. Raises OSError."""
        write_to_textfile(str(file), self._registry)

    def collect(self) -> Iterator[Metric]:
        """The metrics of the last :meth:`update`. The library calls this from its own thread."""
        status = self._status
        if status is None:
            return
        since_s = time.monotonic() - self._updated_s
        running = status.running
        gauges: dict[str, tuple[str, float | None]] = {
            "up": ("Whether jobs may start: 0 while starting, paused or stopping.", _up(status)),
            "queue_depth": ("Vocals in the queue.", status.waiting),
            "settling_files": ("Files in the inbox that are not queued yet.", status.settling),
            "oldest_waiting_seconds": ("Age of the oldest queued vocal.", status.oldest_waiting_s or 0.0),
            "inbox_up": ("Whether the inbox has its sentinel.", float(status.inbox_there)),
            "scan_age_seconds": (
                "Time since the last scan of the inbox.",
                None if status.scan_age_s is None else status.scan_age_s + since_s,
            ),
            "scan_duration_seconds": ("Duration of the last scan.", status.scan_seconds),
            "outbox_free_bytes": (
                "Free space in the outbox.",
                None if status.free_mb is None else float(status.free_mb << 20),
            ),
            "job_progress_ratio": (
                "Share of the running job that is done.",
                running.progress if running else None,
            ),
            "held_files": ("Settled files that are not queued yet.", status.held_count),
            "unreadable_entries": ("Unreadable folders and files of the inbox.", status.scan_troubles),
            "ignored_entries": ("Links, pipes and devices in the inbox.", status.ignored_count),
            "unused_companions": ("Companions that no vocal is rendered with.", status.unused_count),
            "troubles": ("Vocals and parts of the service in trouble.", status.trouble_count),
            "status_age_seconds": ("Time since the service last updated these metrics.", since_s),
        }
        for name, (text, value) in gauges.items():
            if value is not None:
                yield GaugeMetricFamily(f"backline_{name}", text, value=value)
        jobs = GaugeMetricFamily("backline_jobs", "Jobs in the journal by state.", labels=["state"])
        for state in STATES:
            jobs.add_metric([state], status.counts.get(state, 0))
        yield jobs
        left = GaugeMetricFamily("backline_left_files", "Other files in the inbox by kind.", labels=["kind"])
        for kind in LEFT_KINDS:
            left.add_metric([kind], status.left.get(kind, 0))
        yield left
        deaths = "Engines that crashed or were killed because they took too long."
        yield CounterMetricFamily("backline_engine_deaths", deaths, value=status.engine_deaths)


def _up(status: Snapshot) -> float:
    return float(status.state in ("idle", "working") and status.paused is None)
