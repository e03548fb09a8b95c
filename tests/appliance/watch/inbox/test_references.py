"""References in the inbox: what is one, that none is rendered, how jobs ask for them, where they go."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.watch.in_process import InProcess, config_of
from support.watch.intake_bench import PATIENCE_S, Bench

from appliance.watch.inbox.reference_hashes import ReferenceHashes
from appliance.watch.inbox.scan import scan
from appliance.watch.inbox.sidecar import MAX_MIDI_BYTES

MUSIC = b"a band plays" * 100


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def asked(bench: Bench, vocal: str) -> dict[str, Any]:
    """The settings of the waiting job of a vocal."""
    (job,) = (job for job in bench.journal.in_state("waiting") if job.relpath == vocal.encode())
    settings: dict[str, Any] = json.loads(job.settings)
    return settings


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[InProcess]:
    daemon = InProcess(config_of(tmp_path))
    yield daemon
    daemon.close()


@pytest.mark.parametrize(
    "name", ["band.like.wav", "groove.mid", "groove.MIDI", "Band.Like.FLAC", "b.like.mid"]
)
def test_a_sidecar_names_a_reference(bench: Bench, name: str) -> None:
    bench.put(name, MUSIC)
    bench.put("song.toml", f"like = '{name}'")
    bench.put("song.wav")
    bench.run(60.0)
    assert bench.queue() == ["song.wav"]
    found = asked(bench, "song.wav")
    assert (found["like_name"], found["like_sha256"]) == (name, sha256(MUSIC))
    (job,) = bench.journal.in_state("waiting")
    again = bench.intake.recheck(job, bench.now_s)
    assert again is not None and again.reference is not None and again.reference.path == name.encode()
    assert bench.intake.unused.why == {} and bench.intake.companions(b"song.wav") == (b"song.toml",)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".like.wav", ".like.mp3", ".like.m4a", ".LIKE.MID"])
def test_no_reference_is_ever_rendered(bench: Bench, ending: str) -> None:
    """Whether the sidecar comes before it, long after it, or never."""
    bench.put(f"band{ending}", MUSIC)
    bench.run(2 * PATIENCE_S)
    assert bench.journal.counts() == {} and bench.intake.held == {}
    assert bench.intake.unused.why[f"band{ending}".encode()].startswith("it is no vocal, because its name")
    bench.put("song.toml", f"like = 'band{ending}'")
    bench.put("song.wav")
    bench.run(60.0)
    assert bench.queue() == ["song.wav"] and bench.intake.unused.why == {}


def test_a_reference_of_the_vocal_s_own_name_needs_no_sidecar_and_moves_with_it(bench: Bench) -> None:
    bench.put("song.like.mp3", MUSIC)
    bench.put("song.wav")
    bench.put("other.wav", b"other")
    bench.run(60.0)
    assert asked(bench, "song.wav")["like_name"] == "song.like.mp3"
    assert "like_sha256" not in asked(bench, "other.wav")
    assert bench.intake.companions(b"song.wav") == (b"song.like.mp3",)
    assert bench.intake.companions(b"other.wav") == ()


def test_a_midi_file_that_nobody_names_is_left_alone(bench: Bench) -> None:
    bench.put("song.mid", MUSIC)
    bench.put("song.wav")
    bench.run(60.0)
    assert "like_sha256" not in asked(bench, "song.wav") and bench.intake.unused.why == {}
    assert bench.intake.last_scan is not None and bench.intake.last_scan.left["project"] == 1


def test_the_own_sidecar_goes_before_own_name_and_folder(bench: Bench) -> None:
    for name in ("all.like.wav", "song.like.wav", "that.mid"):
        bench.put(name, name.encode())
    bench.put("backline.toml", "like = 'all.like.wav'")
    bench.put("song.wav", b"1")
    bench.put("named.wav", b"2")
    bench.put("named.toml", "like = 'that.mid'")
    bench.put("plain.wav", b"3")
    bench.run(60.0)
    names = {vocal: asked(bench, f"{vocal}.wav")["like_name"] for vocal in ("song", "named", "plain")}
    assert names == {"song": "song.like.wav", "named": "that.mid", "plain": "all.like.wav"}


@pytest.mark.parametrize(
    ("like", "said"),
    [
        ("band.wav", "'band.wav' is neither a MIDI file .* call it such as 'band.like.wav'"),
        ("../band.like.wav", "must be the name of a file in the same folder"),
        ("band.txt", "is neither a MIDI file"),
    ],
)
def test_what_may_be_a_vocal_is_no_reference(bench: Bench, like: str, said: str) -> None:
    """The vocal that asks for it is rejected with the remedy; the recording itself stays a vocal."""
    bench.put("band.wav", MUSIC)
    bench.put("song.toml", f"like = '{like}'")
    bench.put("song.wav")
    bench.run(60.0)
    (job,) = bench.journal.in_state("rejecting")
    assert job.relpath == b"song.wav" and bench.queue() == ["band.wav"]
    assert re.search(rf"^song\.toml: like: .*{said}", job.reason)


def test_a_missing_reference_is_waited_for_and_then_told(bench: Bench) -> None:
    bench.put("song.toml", "like = 'band.like.wav'")
    bench.put("song.wav")
    bench.run(PATIENCE_S / 2)
    assert bench.queue() == [] and bench.intake.held[b"song.wav"] == "band.like.wav is missing"
    bench.run(PATIENCE_S)
    (job,) = bench.journal.in_state("rejecting")
    assert job.reason == "band.like.wav is missing; drop it again together with the vocal."


def test_a_reference_that_is_still_copied_is_waited_for(bench: Bench) -> None:
    """Its space is reserved, and the copy pauses for longer than files settle."""
    file = bench.put("song.like.wav", MUSIC)
    with file.open("r+b") as copy:
        copy.truncate(1 << 20)
    bench.put("song.wav")
    bench.run(60.0)
    assert bench.queue() == [] and "not written yet" in bench.intake.held[b"song.wav"]
    file.write_bytes(MUSIC)
    bench.run(60.0)
    assert asked(bench, "song.wav")["like_sha256"] == sha256(MUSIC)


def test_another_reference_makes_another_job_and_the_same_one_does_not(bench: Bench) -> None:
    bench.put("song.like.wav", MUSIC)
    bench.put("song.wav")
    bench.run(60.0)
    (job,) = bench.journal.in_state("waiting")
    bench.put("song.like.wav", MUSIC)  # copied again
    bench.run(30.0)
    bench.intake.recheck(job, bench.now_s)  # the hash is made anew
    bench.run(30.0)
    assert bench.intake.recheck(job, bench.now_s)
    bench.put("song.like.wav", b"another")
    bench.run(30.0)
    bench.intake.recheck(job, bench.now_s)
    bench.run(30.0)
    (waiting,) = bench.journal.in_state("waiting")
    assert bench.intake.recheck(waiting, bench.now_s) is None  # it ends, and the vocal is offered again
    bench.run(30.0)
    assert asked(bench, "song.wav")["like_sha256"] == sha256(b"another")


def test_after_a_restart_a_waiting_job_starts_once_its_reference_is_read(bench: Bench) -> None:
    bench.put("song.like.wav", MUSIC)
    bench.put("song.wav")
    bench.run(60.0)
    (job,) = bench.journal.in_state("waiting")
    bench.begin()
    bench.run(30.0)
    assert bench.intake.recheck(job, bench.now_s) is None
    assert [other.id for other in bench.journal.in_state("waiting")] == [job.id]  # deferred, not ended
    bench.run(1.0)
    assert bench.intake.recheck(job, bench.now_s)


def test_two_references_of_one_vocal_are_refused(bench: Bench) -> None:
    bench.put("song.like.wav", MUSIC)
    bench.put("song.like.mid", MUSIC)
    bench.put("song.wav")
    bench.run(60.0)
    (job,) = bench.journal.in_state("rejecting")
    assert job.reason.startswith("song.like.mid and song.like.wav: only one of them")


def test_a_huge_midi_file_is_refused(bench: Bench) -> None:
    bench.put("song.like.mid", bytes(MAX_MIDI_BYTES + 1))
    bench.put("song.wav")
    bench.run(60.0)
    (job,) = bench.journal.in_state("rejecting")
    assert job.reason.startswith("song.like.mid is too long: ")


def test_a_large_reference_is_hashed_in_slices(bench: Bench) -> None:
    """The daemon answers between them."""
    data = b"x" * (20 << 20)
    bench.put("song.like.wav", data)
    (found,) = scan(bench.inbox, bench.config.intake).companions
    hashes = ReferenceHashes(bench.inbox, bench.config.intake)
    assert hashes.known(found, 100.0) is None and hashes.why_not(found) == "it is being read"
    steps = 0
    while hashes.pending:
        hashes.step()
        steps += 1
    assert steps >= 4 and hashes.known(found, 100.0) == sha256(data)
    (bench.inbox / "song.like.wav").unlink()
    hashes.keep(frozenset())
    assert hashes.known(found, 100.0) is None
    while hashes.pending:
        hashes.step()
    assert hashes.known(found, 100.0) is None and hashes.why_not(found) == "it has just changed"


def test_the_engine_is_told_where_it_lies_and_it_is_archived_with_the_vocal(
    daemon: InProcess, tmp_path: Path
) -> None:
    inbox, archive = tmp_path / "inbox", tmp_path / "archive"
    (inbox / "sub").mkdir()
    (inbox / "sub" / "song.like.wav").write_bytes(MUSIC)
    (inbox / "sub" / "song.wav").write_bytes(b"la" * 100)
    (inbox / "groove.mid").write_bytes(MUSIC)
    (inbox / "other.toml").write_text("like = 'groove.mid'")
    (inbox / "other.wav").write_bytes(b"li" * 100)
    told = {}
    while len(told) < 2:
        daemon.start()
        order = daemon.worker.order
        assert order is not None
        told[order.source] = order.reference
        daemon.round()
    daemon.run()
    assert told == {"sub/song.wav": "sub/song.like.wav", "other.wav": "groove.mid"}
    kept = sorted(str(p.relative_to(archive)) for p in archive.rglob("*") if p.is_file())
    assert kept == ["other.toml", "other.wav", "sub/song.like.wav", "sub/song.wav"]
    assert [p.name for p in inbox.rglob("*") if p.is_file() and p.name != ".backline"] == ["groove.mid"]


def test_one_that_comes_too_late_stays_and_is_told(daemon: InProcess, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    (inbox / "song.wav").write_bytes(b"la" * 100)
    daemon.start()
    (inbox / "song.like.wav").write_bytes(MUSIC)
    for _ in range(5):
        daemon.now_s += 0.06
        daemon.intake.look(daemon.now_s)
    assert daemon.intake.unused.why[b"song.like.wav"].startswith("it came after song.wav was taken")
    daemon.run()
    assert (inbox / "song.like.wav").exists() and daemon.journal.counts() == {"done": 1}


def test_links_are_not_followed(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "secret.mid").write_bytes(MUSIC)
    for name in ("song.like.mid", "groove.mid"):
        (bench.inbox / name).symlink_to(tmp_path / "secret.mid")
    bench.put("song.toml", "like = 'groove.mid'")
    bench.put("song.wav")
    bench.run(PATIENCE_S / 2)
    assert bench.queue() == [] and bench.intake.held[b"song.wav"] == "groove.mid is missing"
