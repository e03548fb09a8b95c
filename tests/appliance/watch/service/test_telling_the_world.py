"""Notifications, hooks, log lines, pauses and metrics, checked as their receivers read them."""

from __future__ import annotations

import io
import logging
import os
import socket
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from appliance.watch.reports.hooks import LIMIT_S, MAX_WAITING, Hooks
from appliance.watch.reports.logs import ERROR, INFO, NOTICE, WARNING, log, plain
from appliance.watch.reports.reason_text import reason_text, reference_of
from appliance.watch.reports.systemd import Notifier
from appliance.watch.service.metrics import Metrics
from appliance.watch.service.pauses import Pauses
from appliance.watch.service.snapshot import Running, Snapshot


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_systemd_is_told(tmp_path: Path, kind: str) -> None:
    name = str(tmp_path / "notify") if kind == "path" else f"\0backline-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        manager.settimeout(5)
        told = Notifier({"NOTIFY_SOCKET": name.replace("\0", "@"), "WATCHDOG_USEC": "8000000"})
        told.ready()
        told.status("one\nline")
        told.status("one\nline")  # unchanged, so not sent
        for now_s in (0.0, 1.0, 1.99, 2.0, 3.0):  # a quarter of 8 s
            told.feed_watchdog(now_s)
        told.reloading()
        told.stopping()
        messages = [manager.recv(1000).decode() for _ in range(6)]
    assert messages[:4] == ["READY=1", "STATUS=one\\nline", "WATCHDOG=1", "WATCHDOG=1"]
    reloading, usec = messages[4].split("\nMONOTONIC_USEC=")
    assert reloading == "RELOADING=1" and 0 <= time.monotonic_ns() // 1000 - int(usec) < 60e6
    assert messages[5] == "STOPPING=1"


def test_nobody_to_tell() -> None:
    for environment in ({}, {"NOTIFY_SOCKET": "/nowhere"}, {"WATCHDOG_USEC": "x"}):
        told = Notifier(environment)
        told.ready()
        told.feed_watchdog(0.0)
    assert Notifier({"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "1"}).watchdog_s is None


def test_a_log_line_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    log(INFO, "Put away.", name=b"a\n<3>forged=1 \xff\xe2\x80\xae.wav", empty="", path="C:\\x", n=3)
    line = capsys.readouterr().err
    assert line == '<6>Put away. name="a\\n<3>forged=1 \\xff\\u202e.wav" empty="" path=C:\\x n=3\n'


@pytest.mark.parametrize(("level", "priority"), [(ERROR, 3), (WARNING, 4), (NOTICE, 5), (INFO, 6)])
def test_the_journal_is_told_the_priority_and_a_terminal_is_not(
    level: int, priority: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler(elsewhere := io.StringIO())])
    for terminal, prefix in ((False, f"<{priority}>"), (True, "")):
        written = io.StringIO()
        monkeypatch.setattr(written, "isatty", lambda answer=terminal: answer)
        monkeypatch.setattr(sys, "stderr", written)
        log(level, "100 %s", msg=1.5, args=None)
        assert written.getvalue() == f"{prefix}100 %s msg=1.500 args=None\n"
    assert elsewhere.getvalue() == ""  # not passed on to the root logger


def test_a_log_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w", buffering=1) as full:
        monkeypatch.setattr(sys, "stderr", full)
        log(INFO, "x" * 10_000)
        monkeypatch.undo()
        with pytest.raises(OSError, match="No space"):
            full.close()


def test_any_text_can_be_shown() -> None:
    for text in ("a\\x0a", "a\nb\udcff", "\ud800\udcff\n", "\u202e"):
        assert plain(text).isprintable()
    assert plain("a\\x0a\n") == "a\\x0a\\n"


def run_hooks(hooks: Hooks, now_s: float = 0.0) -> None:
    give_up_s = time.monotonic() + 60
    while hooks.busy and time.monotonic() < give_up_s:
        hooks.poll(now_s)
        time.sleep(0.01)
    assert not hooks.busy


def test_hooks_get_the_facts_and_no_shell(tmp_path: Path) -> None:
    script = tmp_path / "my hook"
    script.write_text(f'#!/bin/sh\nprintf "%s" "$BACKLINE_EVENT $1 $BACKLINE_SOURCE" >>"{tmp_path}/told"\n')
    script.chmod(0o755)
    hooks = Hooks({"done": f'"{script}" ";touch x;"', "paused": "", "rejected": "/nowhere/at all"})
    for event in ("done", "paused", "rejected", "done"):
        hooks.trigger(event, source=b"$(touch y)\n\xff.wav", job=3)
    run_hooks(hooks)
    assert (tmp_path / "told").read_bytes() == 2 * b"done ;touch x; $(touch y)\n\xff.wav"


def test_a_hook_that_hangs_is_ended_with_its_children_and_does_not_pile_up(tmp_path: Path) -> None:
    hooks = Hooks({"done": "sh -c 'sleep 1000 & wait'"})
    for _ in range(MAX_WAITING + 50):
        hooks.trigger("done")
    hooks.poll(0.0)
    assert hooks.busy
    hooks.poll(LIMIT_S - 0.1)
    assert hooks.busy
    hooks.poll(LIMIT_S)
    hooks.stop()
    assert not hooks.busy


def test_pauses_come_and_go() -> None:
    told: list[tuple[str | None, str | None]] = []
    pauses = Pauses(lambda before, after: told.append((before, after)), first_wait_s=5.0)
    gb = 1 << 30
    for free, paused in ((3 * gb, False), (gb, True), (2 * gb, True), (3 * gb, False), (2 * gb, False)):
        pauses.free_space(free, 2 * gb, 3 * gb)
        assert pauses.active("space") == paused
    assert told[0][0] is None and told[-1][1] is None
    assert sum(before is None for before, _ in told) == 1  # paused once, though the sentence changed

    ends = []
    for _ in range(8):  # each wait is twice as long as the last, up to five minutes
        pauses.set_until_retry("disk", "full", 0.0)
        pauses.set_until_retry("disk", "full", 1.0)  # does not restart the wait
        ends.append(next(s for s in range(1, 1000) if (pauses.expire(s), not pauses.active("disk"))[1]))
    assert ends == [5, 10, 20, 40, 80, 160, 300, 300]
    pauses.succeeded("disk")
    pauses.set_until_retry("disk", "full", 0.0)
    pauses.expire(5.0)
    assert pauses.reason is None


def snapshot(**changes: object) -> Snapshot:
    running = Running(7, "a\\nb.wav", 0.5, 10.0, 10.0, 60.0, 1)
    facts = {
        "version": "0",
        "state": "working",
        "paused": None,
        "pack": None,
        "waiting": 3,
        "settling": 1,
        "queue_limit": 10,
        "oldest_waiting_s": 60.0,
        "running": running,
        "scan_age_s": 1.0,
        "scan_seconds": 0.1,
        "inbox_there": True,
        "scan_troubles": 0,
        "held": {},
        "held_count": 0,
        "free_mb": 100,
        "counts": {"done": 5, "waiting": 3},
        "rejected_count": 2,
        "trouble": "",
        "engine_pid": 1,
        "engine_starts": 1,
        "engine_deaths": 4,
    }
    return Snapshot(**{**facts, **changes})


def test_prometheus_reads_the_numbers(tmp_path: Path) -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    metrics = Metrics()
    metrics.update(snapshot())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    metrics.listen(address)
    with urllib.request.urlopen(f"http://{address}/metrics") as reply:
        text = reply.read().decode()
    metrics.close()
    metrics.write(tmp_path / "backline.prom")
    for source in (text, (tmp_path / "backline.prom").read_text()):
        found = {
            (sample.name, sample.labels.get("state", "")): sample.value
            for family in parser.text_string_to_metric_families(source)
            for sample in family.samples
        }
        assert found[("backline_up", "")] == 1
        assert found[("backline_queue_depth", "")] == 3
        assert found[("backline_jobs", "done")] == 5 and found[("backline_jobs", "rejected")] == 0
        assert found[("backline_outbox_free_bytes", "")] == 100 * 2**20
        assert found[("backline_engine_deaths_total", "")] == 4
    assert [p.name for p in tmp_path.iterdir()] == ["backline.prom"]


def test_a_reason_is_for_people() -> None:
    text = reason_text("a\n.wav", "a is cut short; copy it again.", "1-2-3", 0.0, quarantined=False)
    assert "\n\nWhy:\n  a is cut short; copy it again.\n" in text
    assert "File:  a\\n.wav\n" in text and text.endswith("Reference: 1-2-3\n")
    assert max(map(len, reason_text("x", "word " * 99, "r", 0.0, quarantined=True).splitlines())) < 80
    assert reference_of(1, 5.0, "k" * 64) != reference_of(1, 5.001, "k" * 64)


def test_the_status_line() -> None:
    assert snapshot().sentence == "Rendering a\\nb.wav (50%, 10 s left). 3 waiting, 5 done, 2 rejected."
    assert snapshot(running=None, paused="No space.").sentence.startswith("Paused: No space. 3 waiting")
