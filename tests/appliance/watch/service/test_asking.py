"""The running service is queried, paused and reconfigured, and its inbox disappears for a while."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
from support.vocals import sung
from support.watch.invariants import sha256, when_quiet
from support.watch.service import Service

from appliance.errors import BacklineError

pytestmark = pytest.mark.service


def test_asked_paused_reconfigured_and_without_its_inbox(fake_pack: Path, tmp_path: Path) -> None:
    song = tmp_path / "vocal"
    soundfile.write(song, sung(1.2), 44_100, format="WAV")
    dropped = {"song": sha256(song)}
    with Service(tmp_path / "root", fake_pack) as service:
        service.start()
        service.until(lambda: service.status().get("state") == "idle")
        service.asked(ask="pause", reason="tea")
        service.drop(song, "song.wav")
        service.until(lambda: service.status()["waiting"] == 1)
        assert service.status()["state"] == "paused" and "tea" in service.status()["paused"]
        assert service.stop() == 0

        service.start()  # a requested pause survives a restart
        service.until(lambda: service.status().get("state") == "paused")
        good = service.file.read_text()
        service.file.write_text(good + "[nonsense]\n")
        service.send(signal.SIGHUP)
        service.until(lambda: "The settings stay as they were" in service.log)
        service.configure({"work": {"style": "jazz", "threads": 2}})
        service.asked(ask="reload")
        service.until(lambda: "Settings were read again" in service.log)
        service.until(lambda: service.log.count("Ready.") == 3, "for an engine with two threads")

        sentinel = service.root / "inbox" / ".backline"
        sentinel.rename(service.root / "kept")
        service.asked(ask="resume")
        service.until(lambda: "seems to be gone" in (service.status()["paused"] or ""))
        assert (service.root / "inbox" / "song.wav").exists()
        (service.root / "kept").rename(sentinel)
        service.until_quiet()
        assert when_quiet(service.config.folders, dropped) == []
        receipt = json.loads((service.root / "outbox" / "song" / "song.receipt.json").read_text())
        assert receipt["style"] == "jazz"

        (job,) = [job for job in service.asked(ask="history")["jobs"] if job["state"] == "done"]
        assert job["vocal"] == "song.wav" and job["result"] == "song" and job["moved_to"] == "song.wav"
        with pytest.raises(BacklineError, match="not in the inbox"):
            service.asked(ask="requeue", job=job["job"])
        command = [sys.executable, "-m", "appliance", "status", "--config", str(service.file)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "1 done" in said and "fake" in said

        second = [sys.executable, "-m", "appliance", "watch", "--config", str(service.file)]
        refused = subprocess.run(second, capture_output=True, text=True, check=False)
        assert refused.returncode == 5 and "another 'backline watch'" in refused.stderr
        assert service.stop(signal.SIGINT) == 0
