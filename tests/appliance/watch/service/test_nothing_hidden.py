"""The status hides nothing: troubles stay until they are over, and what is not touched is named."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.obeying_modes import obeying_modes
from support.watch.in_process import InProcess, config_of

from appliance.watch.engine.messages import Failed
from appliance.watch.engine.worker import Death
from appliance.watch.inbox.scan import Ignored, Scan, Trouble
from appliance.watch.journal.states import STOPPED
from appliance.watch.reports.hooks import Hooks
from appliance.watch.service.metrics import Metrics
from appliance.watch.service.observer import Observer
from appliance.watch.service.outlets import Outlets
from appliance.watch.service.scan_log import MAX_LINES, ScanLog
from appliance.watch.service.snapshot import MAX_NAMED, Snapshot
from appliance.watch.service.telling import MAX_SHOWN, status_lines
from appliance.watch.settings.config import MetricsSettings


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[InProcess]:
    daemon = InProcess(config_of(tmp_path))
    yield daemon
    daemon.close()


def observer_of(daemon: InProcess) -> Observer:
    engine = SimpleNamespace(started=True, starts=1, deaths=0, pack=SimpleNamespace(trouble=""))
    daemon.worker.tuning = SimpleNamespace(share=1.0, profile="")
    daemon.worker._process = None
    parts = (daemon.intake, daemon.pauses, engine, daemon.worker, daemon.rendering, daemon.putting_away)
    return Observer(daemon.journal, *parts)  # type: ignore[arg-type]


def seen(daemon: InProcess) -> Snapshot:
    return observer_of(daemon).snapshot(daemon.now_s)


def text(snapshot: Snapshot) -> str:
    facts = json.loads(json.dumps(snapshot.to_json()))
    return "\n".join(status_lines(facts))


def put(daemon: InProcess, name: str, content: bytes = b"la" * 100) -> None:
    (daemon.config.folders.inbox / name).write_bytes(content)


def render(daemon: InProcess, outcome: Failed | Death | None) -> None:
    """The next job is given to the engine, and ends so; None: as it should."""
    daemon.start()
    if outcome is None:
        daemon.run()
    elif isinstance(outcome, Death):
        daemon.rendering.on_death(outcome)
    else:
        daemon.rendering.on_message(outcome, daemon.now_s)
    daemon.rendering.step(daemon.now_s, accepting=False)


def test_a_trouble_stays_until_it_is_over_and_not_until_another_success(
    daemon: InProcess, tmp_path: Path
) -> None:
    put(daemon, "bad.wav", b"one")
    render(daemon, Failed(1, "temporary", "A stale handle."))
    config = daemon.config.model_copy(
        update={
            "work": daemon.config.work.model_copy(update={"retry_base_s": 3600.0, "retry_most_s": 3600.0})
        }
    )
    daemon.rendering.config = config
    time.sleep(0.002)
    render(daemon, Failed(1, "temporary", "A stale handle again."))
    assert seen(daemon).troubles == {"bad.wav": "A stale handle again."}
    put(daemon, "good.wav", b"two")
    for _ in range(20):
        daemon.round()
    assert daemon.journal.counts() == {"waiting": 1, "done": 1}
    snapshot = seen(daemon)
    assert snapshot.troubles == {"bad.wav": "A stale handle again."} and snapshot.trouble_count == 1
    assert snapshot.trouble == "bad.wav: A stale handle again."
    assert "trouble     bad.wav: A stale handle again." in text(snapshot)
    assert "1 in trouble, see 'backline status'." in snapshot.sentence
    daemon.close()

    again = InProcess(daemon.config)  # a restart does not end it either
    assert seen(again).troubles == {"bad.wav": "A stale handle again."}
    again.journal.requeue(1)
    render(again, Failed(1, "room", "It needs 3 GB."))
    assert seen(again).troubles == {"bad.wav": "It needs 3 GB."}
    again.journal.requeue(1)
    again.run()
    assert again.journal.counts() == {"done": 2} and seen(again).troubles == {}
    daemon.journal = again.journal


def test_a_trouble_stays_while_it_is_tried_again(daemon: InProcess) -> None:
    put(daemon, "bad.wav")
    render(daemon, Failed(1, "disk", "The disk is full."))
    daemon.now_s += 400.0
    daemon.pauses.expire(daemon.now_s)
    time.sleep(0.002)
    for _ in range(5):
        daemon.rendering.step(daemon.now_s, accepting=True)
    assert daemon.rendering.job is not None and daemon.pauses.reason is None
    assert seen(daemon).troubles == {"bad.wav": "The disk is full."}


def test_a_stop_is_no_trouble(daemon: InProcess) -> None:
    put(daemon, "song.wav")
    render(daemon, Death(None, STOPPED, intended=True))
    assert seen(daemon).troubles == {}


def test_vocals_that_cannot_be_put_away_are_named_each(daemon: InProcess, tmp_path: Path) -> None:
    (tmp_path / "archive").rename(tmp_path / "away")
    (tmp_path / "archive").write_text("a file has its name")
    for name in ("a.wav", "b.wav"):
        put(daemon, name, name.encode())
    for _ in range(10):
        daemon.round()
    snapshot = seen(daemon)
    assert sorted(snapshot.troubles) == ["a.wav", "b.wav"]
    assert all(why.startswith("it cannot be put away: ") for why in snapshot.troubles.values())
    (tmp_path / "archive").unlink()
    (tmp_path / "away").rename(tmp_path / "archive")
    daemon.run()
    assert seen(daemon).troubles == {}


def test_a_hook_that_fails_is_named_until_one_succeeds() -> None:
    hooks = Hooks({"done": "false", "paused": "/nowhere"})
    for event in ("done", "paused"):
        hooks.trigger(event)
        while hooks.busy:
            hooks.poll(0.0)
            time.sleep(0.01)
    assert hooks.troubles["done"] == "the command failed with status 1"
    assert hooks.troubles["paused"].startswith("the command cannot be started")
    hooks.commands = {"done": "true"}
    hooks.trigger("done")
    while hooks.busy:
        hooks.poll(0.0)
        time.sleep(0.01)
    assert set(hooks.troubles) == {"paused"}


def test_metrics_that_cannot_be_written_are_named_until_they_can(tmp_path: Path, daemon: InProcess) -> None:
    file = tmp_path / "none" / "backline.prom"
    outlets = Outlets(MetricsSettings(textfile=str(file)), SimpleNamespace(status=lambda _: None))  # type: ignore[arg-type]
    outlets.report(seen(daemon), 100.0)
    assert "cannot be written" in outlets.troubles["metrics.textfile"]
    file.parent.mkdir()
    outlets.report(seen(daemon), 200.0)
    assert outlets.troubles == {}


# What a scan does not touch.


def test_unreadable_folders_and_links_are_named_everywhere(
    daemon: InProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inbox, log = tmp_path / "inbox", ScanLog()
    (inbox / "closed").mkdir(mode=0o000)
    (inbox / "link.wav").symlink_to("/etc/hostname")
    (inbox / "folder\n").symlink_to("/")
    with obeying_modes():
        for _ in range(3):
            log.report(daemon.intake.look(1.0))
    snapshot = seen(daemon)
    (inbox / "closed").chmod(0o700)
    assert snapshot.unread == {"closed/": "Permission denied"} and snapshot.scan_troubles == 1
    assert snapshot.ignored == {"link.wav": "a link", "folder\\n": "a link"} and snapshot.ignored_count == 2
    lines = text(snapshot).splitlines()
    assert "unreadable  closed/: Permission denied" in lines and "ignored     link.wav: a link" in lines
    logged = capsys.readouterr().err.splitlines()
    assert logged.count('<4>Part of the inbox cannot be read. name=closed/ reason="Permission denied"') == 1
    assert logged.count('<5>Ignored in the inbox. name=link.wav what="a link"') == 1


def test_a_thousand_of_them_are_named_in_part_and_all_are_counted(daemon: InProcess) -> None:
    inbox = daemon.config.folders.inbox
    for number in range(200):
        (inbox / f"{number}.wav").symlink_to("x")
        (inbox / f"lost{number}.toml").touch()
    for _ in range(5):
        daemon.now_s += 0.1
        daemon.intake.look(daemon.now_s)
    snapshot = seen(daemon)
    assert len(snapshot.ignored) == MAX_NAMED and snapshot.ignored_count == 200
    assert len(snapshot.unused) == MAX_NAMED and snapshot.unused_count == 200
    lines = text(snapshot).splitlines()
    assert sum(line.startswith("ignored ") for line in lines) == MAX_SHOWN
    assert lines.count(f"            and {200 - MAX_SHOWN} more") == 2


def test_the_log_of_a_scan_is_bounded_and_told_anew_when_it_comes_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = ScanLog()
    troubles = tuple(Trouble(b"%d/" % number, 13) for number in range(50))
    scan = Scan((), (), True, 0.0, troubles, 1, (Ignored(b"pipe", "a pipe"),))
    counts = []
    for seen_now in (scan, scan, scan, scan._replace(troubles=(), ignored=()), scan):
        log.report(seen_now)
        counts.append(len(capsys.readouterr().err.splitlines()))
    assert counts == [MAX_LINES, MAX_LINES, 51 - 2 * MAX_LINES, 0, MAX_LINES]


def test_unused_companions_and_other_files_in_text_json_and_metrics(
    daemon: InProcess, tmp_path: Path
) -> None:
    inbox = tmp_path / "inbox"
    for name in ("lost.toml", "song.wav.reapeaks", "a.jpg", "b.jpg", "notes.pdf", "x.wav.part"):
        (inbox / name).touch()
    (inbox / "lyrics.txt").write_text("la la")
    for _ in range(5):
        daemon.now_s += 0.1
        daemon.intake.look(daemon.now_s)
    snapshot = seen(daemon)
    assert snapshot.left == {"unfinished": 1, "project": 1, "picture": 2, "document": 2}
    lines = text(snapshot).splitlines()
    assert "not used    lost.toml: no vocal of this name is here" in lines
    assert "left alone  1 unfinished copy, 1 file of music software, 2 pictures, 2 documents" in lines
    metrics = Metrics()
    metrics.update(snapshot)
    metrics.write(tmp_path / "backline.prom")
    told = (tmp_path / "backline.prom").read_text()
    assert 'backline_left_files{kind="picture"} 2.0' in told and "backline_unused_companions 1.0" in told
    assert "backline_troubles 0.0" in told and "backline_ignored_entries 0.0" in told


def test_the_status_of_an_earlier_release_is_still_shown(daemon: InProcess) -> None:
    facts = seen(daemon).to_json()
    for key in (
        "troubles",
        "trouble_count",
        "unread",
        "ignored",
        "ignored_count",
        "unused",
        "unused_count",
        "left",
    ):
        del facts[key]
    lines = status_lines({**facts, "trouble": "song.wav waits.", "scan_troubles": 3})
    assert "trouble     song.wav waits." in lines and "unreadable  3 more" in lines


# A stop.
