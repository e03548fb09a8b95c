"""A job after the engine failed or died: its next state, the pause and the counters."""

from __future__ import annotations

import errno
import time
from pathlib import Path

import pytest
from support.watch.in_process import InProcess, answered, config_of

from appliance.watch.engine.failures import FAILURES, Kind
from appliance.watch.engine.messages import Done, Failed, Progress
from appliance.watch.engine.worker import Death
from appliance.watch.journal.rows import Job
from appliance.watch.settings.config import Config


@pytest.fixture
def daemon(tmp_path: Path) -> InProcess:
    daemon = InProcess(config_of(tmp_path))
    (tmp_path / "inbox" / "song.wav").write_bytes(b"la" * 1000)
    taken(daemon)
    yield daemon
    daemon.close()


def taken(daemon: InProcess) -> None:
    for _ in range(5):
        daemon.now_s += 0.06
        daemon.intake.look(daemon.now_s)
        while daemon.intake.pending:
            daemon.intake.step(daemon.now_s)


def started(daemon: InProcess) -> Job:
    """Run the loop until the engine has the job; returns the job."""
    daemon.start()
    assert daemon.rendering.job is not None
    return daemon.rendering.job


def after(daemon: InProcess, outcome: Done | Failed | Death) -> Job:
    """Report the outcome; returns the job."""
    job = daemon.rendering.job
    assert job is not None
    if isinstance(outcome, Death):
        daemon.rendering.on_death(outcome)
    else:
        daemon.rendering.on_message(outcome, daemon.now_s)
    daemon.rendering.step(daemon.now_s, accepting=False)
    found = daemon.journal.job(job.id)
    assert found is not None
    return found


ROWS: list[tuple[Kind, str, str | None]] = [
    ("unusable", "rejecting", None),
    ("unreadable", "rejecting", None),  # patience_s is 0 here
    ("decoder", "waiting", None),
    ("changed", "gone", None),
    ("disk", "waiting", "disk"),
    ("room", "waiting", None),
    ("temporary", "waiting", None),
    ("stuck", "waiting", None),
    ("pack", "waiting", "engine"),
    ("bug", "waiting", None),
]


@pytest.mark.parametrize(("kind", "state", "pause"), ROWS)
def test_whose_fault_it_is(daemon: InProcess, kind: Kind, state: str, pause: str | None) -> None:
    job = after(daemon, Failed(started(daemon).id, kind, "A sentence.", errno.ENOSPC))
    assert (job.state, daemon.pauses.reason) == (state, "A sentence." if pause else None)
    assert job.worker_deaths == (kind in ("bug", "stuck", "decoder"))
    assert not list((daemon.config.folders.outbox / ".backline-work").iterdir())
    if state == "rejecting":
        assert job.reason == "A sentence."


def test_every_kind_has_its_row() -> None:
    assert {kind for kind, _, _ in ROWS} == set(FAILURES)


@pytest.mark.parametrize("kind", ["disk", "room", "temporary", "pack"])
def test_what_may_pass_never_rejects(daemon: InProcess, kind: Kind) -> None:
    for _ in range(12):
        assert after(daemon, Failed(started(daemon).id, kind, "No.", errno.EIO)).state == "waiting"
        daemon.now_s += 400.0  # the longest pause
        time.sleep(0.002)
    assert after(daemon, made(daemon)).state == "published"
    assert daemon.pauses.reason is None


def made(daemon: InProcess) -> Done:
    """Start the job, and make its result as the engine does."""
    started(daemon)
    order, daemon.worker.order = daemon.worker.order, None
    assert order is not None
    answer = answered(order)
    assert isinstance(answer, Done)
    return answer


@pytest.mark.parametrize(
    ("kind", "ends"), [("decoder", "rejected"), ("bug", "quarantined"), ("stuck", "quarantined")]
)
def test_three_times_and_out(daemon: InProcess, kind: Kind, ends: str) -> None:
    for attempt in range(1, 4):
        job = after(daemon, Failed(started(daemon).id, kind, "It died."))
        assert (job.state == "rejecting") == (attempt == 3)
        time.sleep(0.002)
    daemon.run()
    assert daemon.journal.counts() == {ends: 1}
    reason = (daemon.config.folders.rejected / "song" / "reason.txt").read_text()
    assert "It died." in " ".join(reason.split())


@pytest.mark.parametrize("kind", ["decoder", "bug"])
def test_what_passed_does_not_count_against_a_vocal(daemon: InProcess, kind: Kind) -> None:
    for _ in range(5):
        after(daemon, Failed(started(daemon).id, "temporary", "A stale handle.", errno.ESTALE))
        time.sleep(0.002)
    job = after(daemon, Failed(started(daemon).id, kind, "It died."))
    assert (job.state, job.worker_deaths) == ("waiting", 1)


@pytest.mark.parametrize("kind", ["unreadable", "decoder", "bug", "stuck", "temporary", "disk", "death"])
def test_without_the_outbox_nothing_counts_against_a_vocal(daemon: InProcess, kind: str) -> None:
    """Whatever an engine says while the folder of results is away, it may be for that reason."""
    outbox = daemon.config.folders.outbox
    for _ in range(4):
        job = started(daemon)
        outbox.rename(outbox.with_name("away"))
        death = Death(None, "was killed by SIGBUS", intended=False)
        outcome = death if kind == "death" else Failed(job.id, kind, "It is damaged.")  # type: ignore[arg-type]
        job = after(daemon, outcome)
        assert (job.state, job.worker_deaths, job.attempts) == ("waiting", 0, 0)
        assert daemon.pauses.active("folders") and "damaged" not in job.reason
        outbox.with_name("away").rename(outbox)
        daemon.pauses.set("folders", daemon.rendering.roots.changed())
        daemon.now_s += 400.0
    assert after(daemon, made(daemon)).state == "published"


def test_deaths_count_only_where_the_order_has_a_part_in_them(daemon: InProcess) -> None:
    for _ in range(5):
        started(daemon)
        job = after(daemon, Death(None, "the service stops", intended=True))
        assert (job.worker_deaths, job.attempts) == (0, 0)
    for deaths in (1, 2):
        started(daemon)
        assert after(daemon, Death(None, "was killed by SIGSEGV", intended=False)).worker_deaths == deaths
        time.sleep(0.005)
    started(daemon)
    job = after(daemon, Death(None, "was killed by SIGSEGV", intended=False))
    assert job.state == "rejecting" and job.verdict == "quarantined" and "SIGSEGV" in job.reason


def test_a_young_file_that_does_not_decode_is_waited_for(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    config = Config.model_validate({**config.model_dump(), "intake": {"settle_s": 0.1, "patience_s": 50.0}})
    daemon = InProcess(config)
    (tmp_path / "inbox" / "song.wav").write_bytes(b"half")
    taken(daemon)
    job = after(daemon, Failed(started(daemon).id, "unreadable", "It is cut short."))
    assert job.state == "waiting" and job.attempts == 0
    assert 40 < job.next_try_s - time.time() <= 50
    (tmp_path / "inbox" / "song.wav").write_bytes(b"half and the rest")  # the copy continues
    taken(daemon)
    taken(daemon)
    daemon.run()
    assert daemon.journal.counts() == {"gone": 1, "done": 1}
    assert (tmp_path / "archive" / "song.wav").read_bytes() == b"half and the rest"
    daemon.close()


def test_a_taken_name_gives_way(daemon: InProcess) -> None:
    answer = made(daemon)
    (daemon.config.folders.outbox / "song").mkdir()
    (daemon.config.folders.outbox / "song" / "mine.txt").touch()
    job = after(daemon, answer)
    assert (job.state, job.name) == ("published", b"song-2")
    assert (daemon.config.folders.outbox / "song-2" / "song.receipt.json").is_file()
    assert [p.name for p in (daemon.config.folders.outbox / "song").iterdir()] == ["mine.txt"]


def test_an_outbox_that_refuses_keeps_the_result_until_it_can_be_published(daemon: InProcess) -> None:
    answer, outbox = made(daemon), daemon.config.folders.outbox
    outbox.rename(outbox.with_name("away"))
    assert after(daemon, answer).state == "working"
    assert daemon.pauses.active("disk")
    outbox.with_name("away").rename(outbox)
    daemon.pauses.expire(daemon.now_s + 1000.0)
    daemon.rendering.step(daemon.now_s, accepting=False)
    assert daemon.journal.counts() == {"published": 1}


def test_time_left_follows_from_progress(daemon: InProcess) -> None:
    job = started(daemon)
    assert daemon.rendering.left_s(daemon.now_s) is None
    daemon.rendering.on_message(Progress(job.id, 0.25, 100.0), daemon.now_s + 30.0)
    assert daemon.rendering.left_s(daemon.rendering.started_s + 30.0) == pytest.approx(90.0)
    assert daemon.journal.in_state("working")[0].duration_s == 100.0
    daemon.rendering.on_message(Progress(job.id + 1, 0.9), daemon.now_s)  # of another job
    assert daemon.rendering.share == 0.25


def test_a_copy_that_went_on_while_it_was_read_keeps_its_name(daemon: InProcess, tmp_path: Path) -> None:
    """The incomplete copy is still being rendered under that name when the complete one is queued."""
    started(daemon)
    (tmp_path / "inbox" / "song.wav").write_bytes(b"la" * 2000)
    taken(daemon)
    assert [job.name for job in daemon.journal.in_state("waiting")] == [b"song-2"]
    daemon.run()
    assert daemon.journal.counts() == {"gone": 1, "done": 1}
    assert (tmp_path / "outbox" / "song").is_dir() and not (tmp_path / "outbox" / "song-2").exists()
