"""The engine fetches a reference as the one that was queued, and renders with its manner."""

from __future__ import annotations

import hashlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest
import soundfile
from support.recordings import tone, write
from support.references import chords, midi
from support.vocals import sung
from support.watch.in_process import config_of

from appliance.composing.wishes import Wishes
from appliance.errors import InputError
from appliance.rendering.engine import Engine
from appliance.watch.engine.child import _Work
from appliance.watch.engine.decoding import Limits
from appliance.watch.engine.failures import ChangedError
from appliance.watch.engine.messages import Done, Failed, Order, Setup
from appliance.watch.engine.reference import fetch_reference
from appliance.watch.outbox.publishing import fresh_work

LIMITS = Limits(memory_bytes=1 << 30, cpu_s=120, wall_s=600.0, sound_bytes=1 << 30)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def order_of(inbox: Path, work: Path, vocal: Path, reference: Path) -> Order:
    where = (str(inbox), vocal.name, vocal.name, vocal.stem, sha256(vocal), str(work))
    return Order(1, "key", *where, 0, 0o664, 0o2775, None, reference.name)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "work").mkdir()
    soundfile.write(tmp_path / "inbox" / "song.wav", sung(6.0), 44_100)
    return tmp_path / "inbox"


def fetched(inbox: Path, reference: Path, digest: str = "") -> Path | None:
    wishes = Wishes(like_name=reference.name, like_sha256=digest or sha256(reference))
    order = order_of(inbox, inbox.parent / "work", inbox / "song.wav", reference)
    return fetch_reference(order, wishes, inbox.parent / "work", LIMITS)


def test_a_midi_file_is_fetched_as_it_is(inbox: Path) -> None:
    reference = midi(inbox / "a.mid", [("", 0, chords())])
    found = fetched(inbox, reference)
    assert found is not None and found.read_bytes() == reference.read_bytes()


def test_a_recording_is_decoded(inbox: Path) -> None:
    found = fetched(inbox, write(inbox / "a.like.flac", tone(2.0, 22_050), 22_050))
    assert found is not None and soundfile.info(found).frames == 2 * 44_100


def test_another_file_than_the_queued_one_is_not_taken(inbox: Path) -> None:
    reference = midi(inbox / "a.mid", [("", 0, chords())])
    with pytest.raises(ChangedError, match=r"^a\.mid changed after it was queued\.$"):
        fetched(inbox, reference, "0" * 64)
    with pytest.raises(ChangedError, match=r"^b\.mid is no longer in the inbox\.$"):
        (inbox.parent / "work" / "reference").rename(inbox.parent / "work" / "before")
        fetched(inbox, inbox / "b.mid", "0" * 64)


def test_a_damaged_recording_is_named(inbox: Path) -> None:
    (inbox / "a.like.wav").write_bytes(b"RIFF????WAVEfmt ")
    with pytest.raises(InputError, match=r"^a\.like\.wav "):
        fetched(inbox, inbox / "a.like.wav")


def test_without_a_reference_nothing_is_fetched(inbox: Path) -> None:
    order = order_of(inbox, inbox.parent / "work", inbox / "song.wav", inbox / "song.wav")
    assert fetch_reference(order, Wishes(), inbox.parent / "work", LIMITS) is None


def worked(tmp_path: Path, fake_pack: Path, reference: str) -> tuple[Done | Failed, list[dict[str, Any]]]:
    """What becomes of a job with this reference, and the receipts."""
    config = config_of(tmp_path)
    inbox = config.folders.inbox
    (config.folders.outbox / ".backline-work").mkdir(exist_ok=True)
    asked = Wishes(style="jazz", like_name=reference, like_sha256=sha256(inbox / reference))
    work = fresh_work(config.folders.outbox, 1, asked.to_json())
    setup = Setup(str(fake_pack), str(work.parent), 1, 1 << 30, 100, 600.0)
    order = order_of(inbox, work, inbox / "song.wav", inbox / reference)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        outcome = _Work(Engine(fake_pack, 1), setup, order, theirs).do()
    return outcome, [json.loads(p.read_text()) for p in (work / "result").glob("*.receipt.json")]


@pytest.mark.slow
def test_a_job_is_rendered_in_the_manner_of_its_reference(
    inbox: Path, tmp_path: Path, fake_pack: Path
) -> None:
    midi(inbox / "ref.mid", [("Piano", 0, chords())])
    outcome, (facts,) = worked(tmp_path, fake_pack, "ref.mid")
    assert outcome == Done(1)
    assert facts["like"] == "ref.mid" and facts["groups"] == ["keys"]
    assert facts["asked"]["like_sha256"] == sha256(inbox / "ref.mid") and facts["asked"]["like_groups"] == [
        "keys"
    ]


@pytest.mark.slow
def test_a_reference_without_notes_rejects_the_vocal_with_its_name(
    inbox: Path, tmp_path: Path, fake_pack: Path
) -> None:
    midi(inbox / "ref.mid", [("Piano", 0, chords(3))])
    outcome, receipts = worked(tmp_path, fake_pack, "ref.mid")
    assert isinstance(outcome, Failed) and outcome.kind == "unusable" and receipts == []
    assert outcome.sentence.startswith("ref.mid: too few notes")
