"""Version order, and the lock that child processes inherit."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support.releases.stand_in import ROOT, StandIn

from appliance.errors import ReleaseError
from appliance.releases.lock import DESCRIPTOR_VARIABLE, locked
from appliance.releases.versions import is_older, is_version


def test_versions() -> None:
    ascending = ["0.9", "1", "1.0.1", "1.2", "1.10", "1.10.0.1", "2"]
    for place, version in enumerate(ascending):
        assert [is_older(other, version) for other in ascending] == [
            other < place for other in range(len(ascending))
        ]
    assert not is_older("1", "1.0.0") and not is_older("1.0.0", "1")
    for text in ("", "1.", ".1", "1..2", "v1", "1-2", "1.2.3.4.5", "١", "1\n", "1" * 10, "-1", "1 "):
        assert not is_version(text)


def test_the_lock_is_handed_on_and_to_nobody_else(place: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    script = "from appliance.releases.lock import *\nwith locked(Layout.here()): print('held')"

    def other(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env={**place.environment, **environment},
            pass_fds=(lock,), capture_output=True, text=True, check=False,
        )  # fmt: skip

    with locked(place.layout) as lock:
        assert "another installation is running" in other().stderr
        assert other(**{DESCRIPTOR_VARIABLE: str(lock)}).stdout == "held\n"
        assert "another installation" in other(**{DESCRIPTOR_VARIABLE: "0"}).stderr, "not the lock"
        with pytest.raises(ReleaseError), locked(place.layout):
            pass
        monkeypatch.setenv(DESCRIPTOR_VARIABLE, str(lock))
        with locked(place.layout) as same:
            assert same == lock
        os.fstat(lock)  # still open
    lock = os.open(os.devnull, os.O_RDONLY)
    assert other().stdout == "held\n"
    os.close(lock)
