"""The whole service, with real processes and the real engine on a fake pack."""

from __future__ import annotations

import json
import os
import signal
import stat
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from support.vocals import sung
from support.watch.invariants import at_any_moment, results, sha256, when_quiet
from support.watch.service import Service

from appliance.cli.main import cli
from appliance.rendering.engine import Engine
from appliance.rendering.job import RenderJob
from appliance.rendering.render import render

pytestmark = pytest.mark.service


@pytest.fixture
def service(tmp_path: Path, fake_pack: Path) -> Service:
    with Service(tmp_path, fake_pack) as service:
        yield service


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vocals") / "song.wav"
    soundfile.write(path, sung(1.5, 48_000), 48_000, subtype="FLOAT")
    return path


def killed_engine(service: Service) -> None:
    os.kill(service.status()["engine_pid"], signal.SIGKILL)


def test_what_is_dropped_is_rendered_or_rejected_with_a_reason(
    service: Service, song: Path, fake_pack: Path, tmp_path: Path
) -> None:
    """Many kinds of files in one run of the service, because each start takes seconds."""
    hook = tmp_path / "hook"
    hook.write_text(
        '#!/bin/sh\nprintf "%s|%s|%s\\n" "$BACKLINE_EVENT" "$BACKLINE_SOURCE" "$BACKLINE_RESULT" >>"$1"\n'
    )
    hook.chmod(0o755)
    told = tmp_path / "told"
    service.configure(
        {
            "hooks": {"done": f"{hook} {told}", "rejected": f"{hook} {told}"},
            "publish": {"file_mode": "0640", "folder_mode": "2750"},
            "metrics": {"textfile": str(tmp_path / "backline.prom")},
        }
    )
    strange = "a b%s\n<b>&\u202e.wav"
    service.drop(song, "song.wav")
    service.drop(song, "sub/deep/song.wav")
    service.drop(song, strange)
    service.drop(song.read_bytes()[:100_000], "cut.wav")
    service.drop(b"la la la\n" * 1000, "text.mp3")
    (tmp_path / "silence.wav").unlink(missing_ok=True)
    soundfile.write(tmp_path / "silence.wav", np.zeros(88_200, np.float32), 44_100)
    service.drop(tmp_path / "silence.wav", "silence.wav")
    left = np.stack([sung(1.6, 48_000), np.zeros(76_800)], axis=1)
    soundfile.write(tmp_path / "left.wav", left, 48_000, subtype="FLOAT")
    service.drop(tmp_path / "left.wav", "left.wav")
    service.drop(b'style = "polka"', "polka.toml")
    service.drop(song.read_bytes() + b"", "polka.wav")
    dropped = {str(file): sha256(file) for file in service.vocals() if file.suffix != ".toml"}
    assert len(dropped) == 8

    service.start()
    service.until_quiet()
    assert when_quiet(service.config.folders, dropped) == []
    status = service.status()
    assert status["state"] == "idle" and status["counts"] == {"done": 4, "rejected": 4}
    service.until(lambda: told.exists() and len(told.read_text().split("|")) > 14, "for the hooks")

    outbox, rejected = service.root / "outbox", service.root / "rejected"
    assert {str(r.relative_to(outbox)) for r in results(outbox)} == {
        *("song", "sub/deep/song", "left", strange[:-4])
    }
    assert {p.name for p in (outbox / "song").iterdir()} == {
        *("song.accompaniment.wav", "song.mix.wav", "song.mid", "song.receipt.json", "stems")
    }
    for path, mode in (
        ("song", 0o2750),
        ("song/stems", 0o2750),
        ("song/song.mix.wav", 0o640),
        ("sub", 0o2750),
    ):
        assert stat.S_IMODE((outbox / path).stat().st_mode) == mode, path
    assert (service.root / "archive" / "sub" / "deep" / "song.wav").is_file()
    for name, word in (
        ("cut", "cut short"),
        ("text", "not a recording"),
        ("silence", "silent"),
        ("polka", "polka"),
    ):
        reason = (rejected / name / "reason.txt").read_text()
        assert word in reason and "What to do" in reason, reason
        assert ".backline-work" not in reason and "/proc" not in reason and "--" not in reason
    assert (rejected / "polka" / "polka.toml").is_file()

    (remark,) = json.loads((outbox / "left" / "left.receipt.json").read_text())["remarks"]
    (line,) = (line for line in service.log.splitlines() if remark in line)
    assert "name=left.wav" in line and "reason" not in line

    receipt = json.loads((outbox / "song" / "song.receipt.json").read_text())
    assert receipt["vocal"]["name"] == "song.wav" and receipt["vocal"]["rate_hz"] == 48_000
    assert receipt["vocal"]["sha256"] == sha256(song)
    # The service gives the same bytes as the command.
    render(Engine(fake_pack), RenderJob(song, tmp_path / "direct"), "test")
    for file in ("song.accompaniment.wav", "song.mix.wav", "song.mid", "stems/song.keys.wav"):
        assert (outbox / "song" / file).read_bytes() == (tmp_path / "direct" / file).read_bytes()

    # The same vocal again: it is not rendered twice, and archived with a number.
    before = {file: file.stat().st_mtime_ns for file in outbox.rglob("*") if file.is_file()}
    service.drop(song, "song.wav")
    service.until_quiet()
    assert (service.root / "archive" / "song-2.wav").is_file()
    assert before == {file: file.stat().st_mtime_ns for file in outbox.rglob("*") if file.is_file()}
    assert service.stop() == 0
    assert "backline_jobs" in (tmp_path / "backline.prom").read_text()


def test_a_stop_before_the_service_listens_for_it_is_a_clean_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise ``systemctl stop`` right after a start would leave a failed unit."""

    def interrupted(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("appliance.watch.service.daemon.watch", interrupted)
    assert CliRunner().invoke(cli, ["watch"]).exit_code == 0


def test_killed_engine_killed_daemon_and_a_stop_in_the_middle(service: Service, tmp_path: Path) -> None:
    long = tmp_path / "long.wav"
    soundfile.write(long, sung(240.0), 44_100)
    dropped = {"long": sha256(long)}
    service.configure({"work": {"drain_s": 0.0}})  # a stop waits for nothing
    folders = service.config.folders
    service.drop(long, "long.wav")
    service.start()

    running = lambda: (service.status().get("running") or {}).get("progress", 0) > 0  # noqa: E731
    service.until(running, "for the render")
    killed_engine(service)
    service.until(lambda: service.status()["engine_deaths"] == 1)
    assert at_any_moment(folders, dropped) == []
    service.until(running, "for the second try")
    assert service.stop(signal.SIGKILL) == -signal.SIGKILL
    assert at_any_moment(folders, dropped) == []
    assert not list(folders.outbox.glob("[!.]*"))

    service.start()
    service.until(running, "for the render after the kill")
    assert service.stop(signal.SIGTERM) == 0
    assert at_any_moment(folders, dropped) == []
    assert not list(folders.outbox.glob("[!.]*"))
    assert not list((folders.outbox / ".backline-work").iterdir())


def test_a_stop_waits_for_a_job_that_is_nearly_done(service: Service, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", sung(60.0), 44_100)
    dropped = {"long": sha256(tmp_path / "long.wav")}
    service.configure({"work": {"drain_s": 3600.0}})
    service.drop(tmp_path / "long.wav", "long.wav")
    service.start()
    service.until(lambda: (service.status().get("running") or {}).get("progress", 0) > 0.05)
    assert service.stop() == 0
    assert when_quiet(service.config.folders, dropped) == []
    assert [str(result.name) for result in results(service.root / "outbox")] == ["long"]


def test_a_job_that_takes_too_long_is_quarantined_and_the_others_go_on(
    service: Service, song: Path, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "long.wav", sung(240.0), 44_100)
    service.configure({"work": {"timeout_least_s": 0.5, "timeout_factor": 0.001, "attempts": 1}})
    service.drop(tmp_path / "long.wav", "a long one.wav")
    service.start()
    service.until(lambda: service.status().get("counts", {}).get("quarantined") == 1)
    reason = (service.root / "rejected" / "a long one" / "reason.txt").read_text()
    words = " ".join(reason.split())
    assert "set aside" in words and "took too long" in words
    service.configure({})
    service.send(signal.SIGHUP)
    dropped = {"long": sha256(tmp_path / "long.wav"), "song": sha256(service.drop(song, "song.wav"))}
    service.until_quiet()
    assert when_quiet(service.config.folders, dropped) == []
    assert service.status()["counts"] == {"quarantined": 1, "done": 1}
