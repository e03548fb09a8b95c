"""A journal of an older version: its settings are read, its jobs recognised and rendered as requested."""

from __future__ import annotations

import hashlib
import json
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import soundfile
from support.vocals import sung
from support.watch.in_process import config_of

from appliance.composing.wishes import Wishes
from appliance.rendering.engine import Engine
from appliance.watch.engine.child import _Work
from appliance.watch.engine.messages import Done, Order, Setup
from appliance.watch.inbox.intake import Intake
from appliance.watch.journal.journal import Journal, job_key
from appliance.watch.journal.rows import Job
from appliance.watch.outbox.publishing import fresh_work

DUMP = Path(__file__).parent / "older_journal.sql"
PACK_SHA256 = "a" * 64

ASKED = {
    b"plain.wav": Wishes(),
    b"all.wav": Wishes(
        style="jazz",
        bpm=92.0,
        key="F# minor",
        chords="| Am | F G | C♯m |\n",
        chords_name="chört.txt",
        takes=3,
        seed=7,
        sound="neural",
    ),
    b"sub/band.wav": Wishes(bpm=120.5, sound="band"),
}

DROPPED = {
    "plain.wav": "plain",
    "all.wav": "all",
    "all.toml": 'style = "jazz"\nbpm = 92\nkey = "F# minor"\nchords = "chört.txt"\n'
    'takes = 3\nseed = 7\nsound = "neural"\n',
    "chört.txt": "| Am | F G | C♯m |\n",
    "sub/band.wav": "band",
    "sub/backline.toml": 'sound = "band"\nbpm = 120.5\n',
    "wrong.wav": "wrong",
    "wrong.toml": "takes = 0\n",
}


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    state = config_of(tmp_path).folders.state
    with closing(sqlite3.connect(state / "journal.db")) as db:
        db.executescript(DUMP.read_text(encoding="utf-8"))
    with Journal(state) as journal:
        yield journal


def jobs(journal: Journal) -> dict[bytes, Job]:
    found = [*journal.in_state("waiting"), *journal.in_state("rejecting")]
    return {job.relpath: job for job in found}


def test_what_was_asked_is_read_and_written_as_it_was(journal: Journal) -> None:
    assert {job.relpath for job in journal.in_state("waiting")} == set(ASKED)
    for path, wishes in ASKED.items():
        job = jobs(journal)[path]
        assert Wishes.from_json(job.settings) == wishes
        assert Wishes.from_json(job.settings).to_json() == job.settings
        assert job.key == job_key(job.content_sha256, PACK_SHA256, job.settings)


def test_the_same_vocals_dropped_again_are_the_same_jobs(journal: Journal, tmp_path: Path) -> None:
    before = {path: (job.id, job.key, job.settings) for path, job in jobs(journal).items()}
    config = config_of(tmp_path)
    for name, text in DROPPED.items():
        file = config.folders.inbox / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    intake = Intake(config, journal)
    intake.pack_sha256 = PACK_SHA256
    for look in range(5):
        intake.look(look * 0.2)
        while intake.pending:
            intake.step(look * 0.2)
    assert not intake.held
    after = {path: (job.id, job.key, job.settings) for path, job in jobs(journal).items()}
    # The reason is part of the key of what is rejected, and is worded anew: it is refused again.
    _, _, refused = after.pop(b"wrong.wav")
    assert before.pop(b"wrong.wav")[2] != refused and "takes" in refused
    assert after == before
    assert all(intake.recheck(job, 1.0) for job in journal.in_state("waiting"))


@pytest.mark.slow
def test_a_job_that_waited_is_rendered_as_it_was_asked(
    journal: Journal, tmp_path: Path, fake_pack: Path
) -> None:
    job = jobs(journal)[b"all.wav"]
    config = config_of(tmp_path)
    vocal = config.folders.inbox / "all.wav"
    soundfile.write(vocal, sung(9.0), 44_100)
    sha256 = hashlib.sha256(vocal.read_bytes()).hexdigest()
    (config.folders.outbox / ".backline-work").mkdir(exist_ok=True)
    work = fresh_work(config.folders.outbox, job.id, job.settings)
    setup = Setup(str(fake_pack), str(work.parent), 1, 1 << 30, 100, 600.0)
    where = (str(config.folders.inbox), "all.wav", "all.wav", "all", sha256, str(work))
    order = Order(job.id, job.key, *where, 0, 0o664, 0o2775, None)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        assert _Work(Engine(fake_pack, 1), setup, order, theirs).do() == Done(job.id)
    receipts = [json.loads(path.read_text()) for path in sorted((work / "result").glob("*.receipt.json"))]
    assert [facts["seed"] for facts in receipts] == [7, 8, 9]
    for facts in receipts:
        assert (facts["job"], facts["style"], facts["sound"], facts["takes"]) == (
            job.key,
            "jazz",
            "neural",
            3,
        )
        assert facts["key"] == {"name": "F# minor", "confidence": 1.0, "given": True}
        assert facts["tempo"]["given"] and round(facts["tempo"]["bpm"]) == 92
        assert facts["chart_given"] and [label for *_, label in facts["chart"]][:2] == ["Am", "F"]
