"""The journal: allowed transitions, queue order, recognised files, and damaged or newer files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.watch.journal_moves import check_ways, dump, move

from appliance.errors import OutputError
from appliance.watch.disk.found import FoundFile
from appliance.watch.journal.file import JOURNAL_NAME, JournalError, reading
from appliance.watch.journal.journal import Journal, job_key
from appliance.watch.journal.reader import Reader
from appliance.watch.journal.rows import Job
from appliance.watch.journal.schema import MIGRATIONS, migrate, version
from appliance.watch.journal.states import FOLLOWS, STATES

FOUND = FoundFile(b"a\n\xff/song.wav", 1, 2, 3, 4, 5)


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal(tmp_path: Path, clock: Clock) -> Iterator[Journal]:
    with Journal(tmp_path, clock) as opened:
        yield opened


def add(journal: Journal, name: bytes = b"song", content: str = "c", **changes: int) -> Job:
    found = FOUND._replace(path=name + b".wav", **changes)
    return journal.add(found, content, "pack", '{"style":"piano"}', name, name)


def test_a_job_from_inbox_to_archive(journal: Journal, clock: Clock) -> None:
    job = journal.add(FOUND, "content", "pack", "{}", b"a\n\xff/song", b"a\n\xff/song-2")
    assert job.key == job_key("content", "pack", "{}")
    assert (job.state, job.found, job.name) == ("waiting", FOUND._replace(ctime_ns=0), b"a\n\xff/song-2")
    assert journal.next_due(clock.now_s) == job
    clock.now_s += 5
    assert journal.start(job.id).attempts == 1
    assert journal.next_due(clock.now_s) is None
    journal.record_progress(job.id, 0.5, 180.0)
    assert journal.in_state("working")[0].progress == 0.5
    journal.record_published(job.id)
    assert [j.id for j in journal.unfinished()] == [job.id]
    clock.now_s += 5
    done = journal.record_done(job.id, b"a\n\xff/song.wav")
    assert (done.state, done.moved_to, done.duration_s) == ("done", FOUND.path, 180.0)
    assert (done.created_s, done.started_s, done.finished_s) == (1000.0, 1005.0, 1010.0)
    assert [step.after for step in journal.transitions(job.id)] == ["waiting", "working", "published", "done"]
    assert journal.counts() == {"done": 1} and journal.history(5) == [done]


def test_what_is_written_survives_the_end(tmp_path: Path, clock: Clock) -> None:
    with Journal(tmp_path, clock) as journal:
        add(journal)
        journal.pause("lunch")
        before = dump(journal)
    with Journal(tmp_path, clock) as journal:
        assert dump(journal) == before and journal.notices == []
        assert journal.pause_reason() == "lunch"
        journal.resume()
        assert journal.pause_reason() is None


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_only_allowed_steps_are_taken(journal: Journal, before: str, after: str) -> None:
    job = add(journal)
    ways = {
        "waiting": [],
        "working": ["working"],
        "published": ["working", "published"],
        "done": ["working", "published", "done"],
        "rejecting": ["rejecting"],
        "rejected": ["rejecting", "rejected"],
        "quarantined": ["rejecting", "quarantined"],
        "gone": ["gone"],
    }
    for step in ways[before]:
        journal._move(job.id, step, "")  # type: ignore[arg-type]
    if after in FOLLOWS[before] or (after == before != "working"):  # type: ignore[index]
        assert journal._move(job.id, after, "").state == after  # type: ignore[arg-type]
    else:
        with pytest.raises(ValueError, match=f"{before} and cannot become {after}"):
            journal._move(job.id, after, "")  # type: ignore[arg-type]
        assert journal.job(job.id).state == before  # type: ignore[union-attr]


def test_first_in_first_out_and_waits(journal: Journal, clock: Clock) -> None:
    first, second = add(journal, b"z"), add(journal, b"a")
    assert journal.next_due(clock.now_s) == first
    journal.start(first.id)
    journal.retry(first.id, "busy", clock.now_s + 60)
    assert journal.next_due(clock.now_s).id == second.id  # type: ignore[union-attr]
    assert journal.next_due(clock.now_s + 60).id == first.id  # type: ignore[union-attr]
    journal.defer(second.id, "later", 30.0)
    assert journal.next_due(clock.now_s) is None
    assert journal.next_try_s() == clock.now_s + 30
    # The clock is set back by a year: no wait is that long.
    assert journal.next_due(clock.now_s - 3e7).id == first.id  # type: ignore[union-attr]


def test_attempts_deaths_and_interruptions_are_told_apart(journal: Journal) -> None:
    job = add(journal)
    for expected in ((1, 1, 0), (1, 1, 0), (1, 1, 1)):
        journal.start(job.id)
        if expected == (1, 1, 1):
            job = journal.record_interrupted(job.id, 0.0, last=False)
        elif job.worker_deaths == 0:
            job = journal.retry(job.id, "died", 0.0, worker_died=True)
        else:
            job = journal.retry(job.id, "stopped", 0.0, counted=False)
        assert (job.attempts, job.worker_deaths, job.interruptions) == expected


def test_the_same_again(journal: Journal) -> None:
    job = add(journal)
    moved = add(journal, inode=99)  # replaced while it waits: the same job gets the new identity
    assert moved.id == job.id and moved.inode == 99 and moved.state == "waiting"
    journal.start(job.id)
    journal.record_published(job.id)
    journal.record_done(job.id, b"song.wav")
    assert journal.by_found(moved.found) == journal.job(job.id)
    assert journal.by_found(moved.found._replace(mtime_ns=0)) is None
    assert journal.record_still_there(job.id, FOUND).state == "published"
    journal.record_done(job.id)
    again = add(journal)
    assert (again.id, again.state, again.attempts, again.finished_s) == (job.id, "waiting", 0, None)
    other = add(journal, content="other")
    assert other.id != job.id and journal.last_of_name(b"song").id == other.id  # type: ignore[union-attr]


def test_rejected_in_one_breath_and_quarantine(journal: Journal) -> None:
    job = journal.add(FOUND, "c", "p", '{"wrong":"x"}', b"s", b"s", "bpm: no")
    assert (job.state, job.reason) == ("rejecting", "bpm: no")
    assert journal.record_rejected(job.id, b"s/song.wav").state == "rejected"
    killer = add(journal)
    journal.start(killer.id)
    journal.quarantine(killer.id, "killed three")
    ended = journal.record_rejected(killer.id)
    assert (ended.state, ended.reason) == ("quarantined", "killed three")
    assert journal.record_rejected(killer.id).state == "quarantined"  # repeating changes nothing
    assert journal.requeue(killer.id).state == "waiting"


@pytest.mark.parametrize("seed", range(4))
def test_random_lives_keep_the_laws(tmp_path: Path, seed: int) -> None:
    with Journal(tmp_path, lambda: 0.0) as journal:
        journal._db.execute("PRAGMA synchronous = OFF")
        for number in range(seed * 1000, seed * 1000 + 400):
            move(journal, number)
        check_ways(journal)
        assert len(journal.counts()) >= 5


def test_a_second_daemon_is_refused(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.watch.journal.file._READER_PATIENCE_S", 0.0)
    with pytest.raises(OutputError, match="in use by another"):
        Journal(tmp_path)
    with pytest.raises(BlockingIOError), reading(tmp_path):
        pass


@pytest.mark.parametrize("log_is_left", [False, True])
def test_a_journal_at_rest_can_be_read(tmp_path: Path, log_is_left: bool) -> None:
    with reading(tmp_path) as db:
        assert db is None
    journal = Journal(tmp_path)
    add(journal)
    if log_is_left:
        kept = (tmp_path / f"{JOURNAL_NAME}-wal").read_bytes()
    journal.close()
    if log_is_left:
        (tmp_path / f"{JOURNAL_NAME}-wal").write_bytes(kept)
    before = (tmp_path / JOURNAL_NAME).read_bytes()
    with reading(tmp_path) as db:
        assert Reader(db, tmp_path).counts() == {"waiting": 1}  # type: ignore[arg-type]
        with pytest.raises(sqlite3.OperationalError):
            db.execute("DELETE FROM jobs")  # type: ignore[union-attr]
    assert (tmp_path / JOURNAL_NAME).read_bytes() == before


def damaged_header(file: Path) -> None:
    file.write_bytes(b"no database" * 1000)


def damaged_page(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4096:] = bytes(b ^ 0xA5 for b in data[4096:])
    file.write_bytes(data)


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:6000])


def of_somebody_else(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE other (x)")
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    db.close()


@pytest.mark.parametrize("damage", [damaged_header, damaged_page, cut_short, of_somebody_else])
def test_a_damaged_journal_is_set_aside(tmp_path: Path, damage: object) -> None:
    for number in (1, 2):
        with Journal(tmp_path) as journal:
            add(journal)
        damage(tmp_path / JOURNAL_NAME)  # type: ignore[operator]
        before = (tmp_path / JOURNAL_NAME).read_bytes()[100:]  # SQLite updates the header on opening
        with Journal(tmp_path) as journal:
            assert journal.counts() == {}
            assert f"journal.damaged-{number}" in journal.notices[0]
        assert (tmp_path / f"journal.damaged-{number}").read_bytes()[100:] == before


def test_a_disk_error_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / JOURNAL_NAME).mkdir()
    with pytest.raises(JournalError):
        Journal(tmp_path)
    assert (tmp_path / JOURNAL_NAME).is_dir()


def test_a_newer_journal_is_left_alone(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    with sqlite3.connect(tmp_path / JOURNAL_NAME) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(OutputError, match="newer version"):
        Journal(tmp_path)
    assert not list(tmp_path.glob("*damaged*"))


def test_a_migration_happens_whole_or_not_at_all(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        add(journal)
    db = sqlite3.connect(tmp_path / JOURNAL_NAME, isolation_level=None)
    bad = (*MIGRATIONS, ("ALTER TABLE jobs ADD COLUMN mood TEXT", "INSERT INTO nowhere VALUES (1)"))
    with pytest.raises(sqlite3.OperationalError):
        migrate(db, bad)
    assert version(db) == len(MIGRATIONS)
    assert "mood" not in {row[1] for row in db.execute("PRAGMA table_info(jobs)")}
    migrate(db, (*MIGRATIONS, ("ALTER TABLE jobs ADD COLUMN mood TEXT DEFAULT 'calm'",)))
    assert version(db) == len(MIGRATIONS) + 1
    assert db.execute("SELECT mood FROM jobs").fetchall() == [("calm",)]
    db.close()


def test_a_full_disk_changes_nothing_and_passes(journal: Journal) -> None:
    add(journal)
    before = dump(journal)
    journal._db.execute("PRAGMA max_page_count = 1")  # SQLite then returns SQLITE_FULL, as on a full disk
    with pytest.raises(JournalError, match="full"):
        for number in range(100):
            journal.add(FOUND, f"{number}", "p", "x" * 5000, b"n", b"n")
    assert dump(journal)[0][0] == before[0][0]
    journal._db.execute("PRAGMA max_page_count = 1000000")
    assert journal.start(1).state == "working"
