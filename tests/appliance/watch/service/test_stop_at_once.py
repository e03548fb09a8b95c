"""A stop with nothing to render is at once: it waits for no timeout."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.watch.service import Service

from appliance.watch.inbox.scan import Scan
from appliance.watch.service.daemon import Daemon


def stopping(**changes: Any) -> bool:
    """Whether a daemon that was just told to stop may end at once."""
    facts = {"job": None, "is_stuck": False, "pending": False, "scan": Scan((), (), True, 0.0), "pauses": ()}
    facts |= changes
    daemon = Daemon.__new__(Daemon)
    daemon.signals = SimpleNamespace(stops=1)  # type: ignore[assignment]
    daemon.worker = SimpleNamespace(end=lambda *_, **__: None)  # type: ignore[assignment]
    daemon.rendering = SimpleNamespace(job=facts["job"], is_stuck=facts["is_stuck"])  # type: ignore[assignment]
    daemon.putting_away = SimpleNamespace(pending=lambda _: facts["pending"])  # type: ignore[assignment]
    daemon.intake = SimpleNamespace(last_scan=facts["scan"])  # type: ignore[assignment]
    daemon.pauses = SimpleNamespace(active=lambda *causes: bool({*causes} & {*facts["pauses"]}))  # type: ignore[assignment]
    daemon.stop_by_s = 1005.0
    return daemon._may_end(1000.0)


def test_a_stop_with_nothing_to_do_is_at_once() -> None:
    assert stopping()
    assert stopping(pending=True, scan=None)  # before the first scan nothing can be put away
    assert stopping(pending=True, pauses=("folders",))
    assert stopping(job=object(), is_stuck=True)  # a result that cannot be published now
    assert not stopping(job=object())
    assert not stopping(pending=True)


STOPPED_LATE = """
import sys
from pathlib import Path
from appliance.watch.service import daemon, engine_keeper
daemon._TIDY_UP_S = engine_keeper._LONGEST_END_S = 36_000.0  # so that waiting for them cannot be overlooked
sys.exit(daemon.watch(Path(sys.argv[1])))
"""


@pytest.mark.service
@pytest.mark.parametrize("case", ["idle", "paused", "no sentinel", "starting"])
def test_a_stop_with_nothing_to_render_waits_for_no_timeout(
    tmp_path: Path, fake_pack: Path, case: str
) -> None:
    with Service(tmp_path / "root", fake_pack) as service:
        if case == "no sentinel":
            (service.root / "inbox" / ".backline").unlink()
            (service.root / "inbox" / "old.wav").touch()
        with (service.root / "log").open("ab") as log:
            command = [sys.executable, "-c", STOPPED_LATE, str(service.file)]
            service.process = subprocess.Popen(command, stdout=log, stderr=log)
        wanted = {"idle": ("idle",), "paused": ("idle",), "no sentinel": ("paused",)}.get(
            case, ("starting", "idle")
        )
        service.until(lambda: service.status().get("state") in wanted)
        if case == "paused":
            service.asked(ask="pause")
        assert service.stop(signal.SIGTERM) == 0
