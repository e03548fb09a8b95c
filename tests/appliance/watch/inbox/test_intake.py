"""From the inbox to the queue, with real files and a simulated clock."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

import pytest
from support.watch.intake_bench import PATIENCE_S, SCAN_S, SETTLE_S, TAIL_S, Bench

from appliance.watch.journal.file import JournalError
from appliance.watch.settings.config import Config


def test_a_vocal_is_taken_when_it_has_settled(bench: Bench) -> None:
    bench.run(2.0)
    bench.put("sub/song.wav", b"la la")
    bench.run(SETTLE_S)
    assert bench.queue() == []
    bench.run(2 * SCAN_S)
    (job,) = bench.journal.in_state("waiting")
    assert (job.relpath, job.wanted, job.name) == (b"sub/song.wav", b"sub/song", b"sub/song")
    assert job.content_sha256 == hashlib.sha256(b"la la").hexdigest()
    assert json.loads(job.settings) == {"style": "piano", "takes": 1, "seed": 0}
    assert bench.intake.recheck(job, bench.now_s)
    assert bench.intake.settling == 0 and bench.intake.held == {}


def test_files_of_before_the_start_settle_too_oldest_first(watched: Config) -> None:
    for name, mtime_s in (("c", 300), ("a", 100), ("b", 200)):
        file = watched.folders.inbox / f"{name}.wav"
        file.write_text(name)
        os.utime(file, (mtime_s, mtime_s))
    bench = Bench(watched)
    bench.run(SETTLE_S - 0.1)
    assert bench.queue() == []
    bench.run(1.0)
    assert bench.queue() == ["a.wav", "b.wav", "c.wav"]
    bench.begin()  # a restart queues nothing twice
    bench.run(30.0)
    assert bench.queue() == ["a.wav", "b.wav", "c.wav"] and bench.intake.settling == 0
    bench.journal.close()


def test_replaced_while_it_waits(bench: Bench) -> None:
    bench.put("song.wav", b"one")
    bench.run(20.0)
    bench.put("song.wav", b"two")
    bench.run(5.0)
    assert bench.queue() == []  # the queued vocal is gone
    bench.run(20.0)
    (job,) = bench.journal.in_state("waiting")
    assert job.content_sha256 == hashlib.sha256(b"two").hexdigest()
    (bench.inbox / "song.wav").unlink()
    bench.run(5.0)
    assert bench.journal.counts() == {"gone": 2}


def test_a_share_that_vanishes_takes_no_job_along(bench: Bench) -> None:
    bench.put("song.wav")
    bench.run(20.0)
    bench.inbox.rename(bench.inbox.with_name("away"))
    bench.inbox.mkdir()
    bench.run(60.0)
    assert bench.queue() == ["song.wav"]
    bench.inbox.rmdir()
    bench.inbox.with_name("away").rename(bench.inbox)
    bench.run(30.0)
    assert bench.queue() == ["song.wav"] and bench.journal.counts() == {"waiting": 1}


def test_the_same_vocal_again(bench: Bench) -> None:
    bench.put("song.wav", b"one")
    bench.run(20.0)
    done = bench.finish("song.wav")
    bench.put("song.wav", b"one")
    bench.run(20.0)
    assert bench.journal.job(done.id).state == "published"  # type: ignore[union-attr]
    bench.put_away(done)
    bench.journal.record_done(done.id)
    (bench.config.folders.outbox / "song").rmdir()  # the result was fetched, so it is rendered again
    bench.put("song.wav", b"one")
    bench.run(20.0)
    assert [job.id for job in bench.journal.in_state("waiting")] == [done.id]
    bench.finish("song.wav")
    bench.put("song.wav", b"two")  # another recording gets another name
    bench.run(20.0)
    assert bench.journal.in_state("waiting")[0].name == b"song-2"
    bench.finish("song.wav")
    bench.put("song.wav", b"one")
    bench.run(20.0)
    assert bench.journal.job(done.id).state == "published"  # type: ignore[union-attr]


def test_two_copies_that_differ_in_case_share_a_render(bench: Bench) -> None:
    bench.put("song.wav", b"one")
    bench.put("song.WAV", b"one")
    bench.run(30.0)
    assert len(bench.queue()) == 1
    (held,) = bench.intake.held.values()
    assert "already queued" in held
    first = bench.finish(bench.queue()[0])
    bench.run(30.0)
    assert bench.journal.job(first.id).state == "published"  # type: ignore[union-attr]
    assert bench.journal.job(first.id).relpath != first.relpath  # type: ignore[union-attr]


def test_rendered_vocals_that_stay_are_remembered(watched: Config) -> None:
    bench = Bench(watched, publish={"archive_sources": False})
    bench.put("song.wav")
    bench.run(20.0)
    bench.put_away = lambda job: None  # type: ignore[method-assign]
    bench.finish("song.wav")
    for _ in range(2):
        bench.begin()
        bench.run(30.0)
        assert bench.journal.counts() == {"done": 1} and bench.intake.settling == 0
    bench.put("song.wav", b"new")
    bench.run(20.0)
    assert bench.queue() == ["song.wav"]
    bench.journal.close()


def test_sidecars_settle_with_their_vocal(bench: Bench) -> None:
    bench.put("song.wav")
    bench.run(8.0)
    bench.put("song.toml", "bpm = 92")
    bench.run(5.0)
    assert bench.queue() == [] and "song.toml" in bench.intake.held[b"song.wav"]
    bench.run(20.0)
    (job,) = bench.journal.in_state("waiting")
    assert json.loads(job.settings)["bpm"] == 92.0
    bench.put("song.toml", "bpm = 93")
    bench.run(SCAN_S)
    assert not bench.intake.recheck(job, bench.now_s)  # still changing: deferred
    bench.run(20.0)
    assert not bench.intake.recheck(bench.journal.in_state("waiting")[0], bench.now_s)  # it has changed
    bench.run(20.0)
    (job,) = bench.journal.in_state("waiting")
    assert json.loads(job.settings)["bpm"] == 93.0 and bench.intake.recheck(job, bench.now_s)


def test_a_wrong_sidecar_rejects_and_a_mended_one_does_not(bench: Bench) -> None:
    bench.put("song.wav")
    bench.put("song.toml", "bpm = 5")
    bench.run(20.0)
    (job,) = bench.journal.in_state("rejecting")
    assert job.reason.startswith("song.toml: bpm:")
    bench.put_away(job)
    bench.journal.record_rejected(job.id)
    bench.put("song.wav")
    bench.put("song.toml", "bpm = 50")
    bench.run(20.0)
    assert bench.queue() == ["song.wav"]


def test_a_missing_chart_is_waited_for_and_then_rejected(bench: Bench) -> None:
    bench.put("song.wav")
    bench.put("song.toml", 'chords = "song.txt"')
    bench.run(PATIENCE_S - 1)
    assert bench.journal.counts() == {}
    bench.run(60.0)
    assert "song.txt is missing" in bench.journal.in_state("rejecting")[0].reason


def test_done_markers(watched: Config) -> None:
    bench = Bench(watched, intake={"require_done_marker": True})
    bench.put("a.wav", b"sound" + bytes(100_000))  # with a marker, the silent end does not matter
    bench.put("b.wav")
    bench.put("c.wav")
    bench.run(100.0)
    assert bench.queue() == []
    bench.put("a.done")
    bench.put("b.wav.DONE")
    bench.run(25.0)
    assert sorted(bench.queue()) == ["a.wav", "b.wav"]
    assert bench.intake.companions(b"a.wav") == (b"a.done",)
    bench.journal.close()


@pytest.mark.parametrize(
    ("make", "wait_s"),
    [
        (lambda file: file.write_bytes(b""), PATIENCE_S),
        (lambda file: os.truncate(file, 100_000), PATIENCE_S),
        (lambda file: file.write_bytes(b"sound" + bytes(100_000)), TAIL_S),
    ],
)
def test_what_may_not_be_written_yet_gets_its_time(bench: Bench, make: Any, wait_s: float) -> None:
    make(bench.put("song.wav"))
    bench.run(wait_s - 1.0)
    assert bench.queue() == [] and b"song.wav" in bench.intake.held
    bench.run(2 * SETTLE_S)
    assert bench.queue() == ["song.wav"]


def test_a_full_queue_leaves_the_rest_in_the_inbox(watched: Config) -> None:
    bench = Bench(watched, work={"queue_limit": 2})
    for number in range(4):
        bench.put(f"{number}.wav", f"{number}")
    bench.run(60.0)
    assert len(bench.queue()) == 2 and set(bench.intake.held.values()) == {"the queue is full"}
    bench.finish(bench.queue()[0])
    bench.run(30.0)
    assert len(bench.queue()) == 2 and bench.journal.counts()["done"] == 1
    bench.journal.close()


def test_a_journal_that_cannot_write_loses_nothing(bench: Bench) -> None:
    bench.put("song.wav")
    bench.journal._db.execute("PRAGMA query_only = ON")
    with pytest.raises(JournalError):
        bench.run(20.0)
    bench.journal._db.execute("PRAGMA query_only = OFF")
    bench.run(20.0)
    assert bench.queue() == ["song.wav"]


def test_descriptors_stay_flat(bench: Bench) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for number in range(20):
        bench.put(f"{number}.wav", b"" if number % 3 else b"x" * 9_000_000)
        bench.run(7.0)
        if number % 5 == 0:
            (bench.inbox / f"{number}.wav").unlink()
    bench.run(30.0)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
