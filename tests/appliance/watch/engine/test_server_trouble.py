"""The server's trouble is not the recording's: whatever fails around a good recording, nobody blames it."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import soundfile
from support.vocals import sung
from support.watch.invariants import sha256

from appliance.composing.wishes import Wishes
from appliance.errors import InputError
from appliance.rendering import hearing as hearing_module
from appliance.rendering.engine import Engine
from appliance.rendering.publication import Publication
from appliance.watch.engine import child as child_module
from appliance.watch.engine import decoding
from appliance.watch.engine.child import _Work
from appliance.watch.engine.decoding import Limits, decode
from appliance.watch.engine.failures import (
    FAILURES,
    DecoderDiedError,
    DecoderKilledError,
    DecoderStuckError,
    Then,
)
from appliance.watch.engine.messages import Done, Failed, Order, Setup
from appliance.watch.outbox.publishing import fresh_work

LIMITS = Limits(memory_bytes=1 << 30, cpu_s=120, wall_s=600.0, sound_bytes=1 << 30)
NOT_OVER = (Then.RETRY, Then.RETRY_UNCOUNTED, Then.PAUSE_OUTBOX, Then.PAUSE_ENGINE)


@dataclass
class Channel:
    """Takes what the engine says, and does ``what`` when it has been told of progress ``at`` times."""

    at: int
    what: Callable[[], object]
    told: int = 0
    said: list[dict[str, Any]] = field(default_factory=list)

    def send(self, data: bytes) -> int:
        self.said.append(json.loads(data))
        if self.told == self.at:
            self.what()
        self.told += 1
        return len(data)


@pytest.fixture(scope="module")
def engine(fake_pack: Path) -> Engine:
    return Engine(fake_pack, 1)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name in ("inbox", "outbox"):
        (tmp_path / name).mkdir()
    soundfile.write(tmp_path / "inbox" / "song.wav", sung(1.5), 44_100)
    return tmp_path


def order_of(folders: Path, stem: str = "song", takes: int = 1) -> Order:
    work = fresh_work(folders / "outbox", 1, Wishes(takes=takes).to_json())
    inbox = folders / "inbox"
    names = ("song.wav", "song.wav", stem, sha256(inbox / "song.wav"))
    return Order(1, "0" * 64, str(inbox), *names, str(work), 0, 0o664, 0o2775, None)


def rendered(engine: Engine, folders: Path, channel: Channel, order: Order | None = None) -> Done | Failed:
    work = str(folders / "outbox" / ".backline-work")
    setup = Setup("", work, 1, LIMITS.memory_bytes, LIMITS.cpu_s, LIMITS.wall_s)
    return _Work(engine, setup, order or order_of(folders), channel).do()  # type: ignore[arg-type]


def blames_nobody(said: Done | Failed) -> None:
    assert isinstance(said, Failed), said
    assert FAILURES[said.kind].then in NOT_OVER, said
    for word in ("damaged", "export it", "copy or export", "can be deleted", "--", ".backline-work"):
        assert word not in said.sentence, said


def _away(folders: Path) -> None:
    (folders / "outbox").rename(folders / "gone")


def _without_work(folders: Path) -> None:
    shutil.rmtree(folders / "outbox" / ".backline-work")


def _without_copy(folders: Path) -> None:
    (folders / "outbox" / ".backline-work" / "1" / "vocal" / "song.wav").unlink()


def _half_a_copy(folders: Path) -> None:
    copy = folders / "outbox" / ".backline-work" / "1" / "vocal" / "song.wav"
    os.truncate(copy, copy.stat().st_size // 2)


@pytest.mark.slow
@pytest.mark.parametrize("trouble", [_without_work, _without_copy, _half_a_copy])
def test_the_outbox_fails_at_any_moment_of_a_render(
    engine: Engine, folders: Path, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[Path], None]
) -> None:
    """One render for each time that progress is told, until the trouble comes too late to be noticed."""
    monkeypatch.setattr(child_module, "_PROGRESS_INTERVAL_S", 0.0)
    failed, at = 0, 0
    while True:
        channel = Channel(at, lambda: trouble(folders))
        said = rendered(engine, folders, channel)
        if isinstance(said, Failed):
            blames_nobody(said)
            failed += 1
        if channel.told <= at:
            break
        at = max(1, 3 * at)
    assert failed >= 2


def test_an_outbox_that_goes_away_meanwhile_gets_the_whole_result(engine: Engine, folders: Path) -> None:
    """The work goes on in the folder that went, and nothing is made on the place that it left."""
    channel = Channel(0, lambda: _away(folders))
    assert rendered(engine, folders, channel, order_of(folders, takes=2)) == Done(1)
    assert not (folders / "outbox").exists()
    made = folders / "gone" / ".backline-work" / "1" / "result"
    assert len(list(made.glob("*.receipt.json"))) == 2


FAULTS = [errno.ESTALE, errno.EIO, errno.ENOENT, errno.ENODEV, errno.ETIMEDOUT, errno.EACCES, errno.EINVAL]


@pytest.mark.parametrize("number", FAULTS, ids=errno.errorcode.get)
@pytest.mark.parametrize("where", ["statvfs", "settings", "read", "write", "publish", "free"])
def test_whatever_the_system_says_after_decoding(
    engine: Engine, folders: Path, monkeypatch: pytest.MonkeyPatch, number: int, where: str
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(folders / "outbox" / ".backline-work" / "1" / "x"))

    order = order_of(folders)
    if where == "statvfs":
        monkeypatch.setattr(child_module.os, "statvfs", failing)
    elif where == "settings":
        (folders / "outbox" / ".backline-work" / "1" / "settings.json").unlink()
    elif where == "read":
        monkeypatch.setattr(hearing_module, "probe", reading_fails(folders, failing))
    elif where == "write":
        monkeypatch.setattr(Publication, "path", lambda self, *_, **__: failing())
    elif where == "publish":
        monkeypatch.setattr(Publication, "_publish", lambda self: failing())
    else:
        monkeypatch.setattr(Publication, "need_bytes", lambda self, count: failing())
    blames_nobody(rendered(engine, folders, Channel(-1, int), order))


def reading_fails(folders: Path, failing: Callable[..., None]) -> Callable[[Path], None]:
    def probe(path: Path) -> None:
        try:
            failing()
        except OSError as error:
            raise InputError(f"{path} is damaged or has an unknown encoding; export it again.") from error

    return probe


@pytest.mark.parametrize("error", [InputError, DecoderDiedError])
@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE], ids=errno.errorcode.get)
def test_a_recording_that_the_disk_does_not_give_up_is_not_damaged(
    engine: Engine, folders: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception], number: int
) -> None:
    def refusing(*_: object) -> None:
        raise error("song.wav is damaged.")

    def failing(*_: object) -> bytes:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(decoding, "decode", refusing)
    monkeypatch.setattr("appliance.watch.engine.proof.os.pread", failing)
    said = rendered(engine, folders, Channel(-1, int))
    blames_nobody(said)
    assert isinstance(said, Failed) and said.errno == number and "song.wav" in said.sentence


def test_a_recording_that_is_really_damaged_is_still_refused(engine: Engine, folders: Path) -> None:
    (folders / "inbox" / "song.wav").write_bytes(b"RIFF" + os.urandom(5000))
    said = rendered(engine, folders, Channel(-1, int))
    assert isinstance(said, Failed) and said.kind == "unreadable" and said.sentence.startswith("song.wav is")


def test_a_recording_that_changed_under_the_decoder_is_taken_again(engine: Engine, folders: Path) -> None:
    order = order_of(folders)
    (folders / "inbox" / "song.wav").write_bytes(b"RIFF" + os.urandom(5000))
    said = rendered(engine, folders, Channel(-1, int), order)
    assert isinstance(said, Failed) and said.kind == "changed"


@pytest.fixture
def source(folders: Path) -> Iterator[int]:
    descriptor = os.open(folders / "inbox" / "song.wav", os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def test_a_decoder_that_somebody_kills_blames_nobody(
    folders: Path, source: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(child: subprocess.Popen[bytes], until_s: float) -> bytes:
        child.kill()
        child.wait()
        return b""

    monkeypatch.setattr(decoding, "_read", killed)
    with pytest.raises(DecoderKilledError) as caught:
        decode(source, "song.wav", folders / "decoded.wav", LIMITS)
    assert "damaged" not in str(caught.value)


def test_a_decoder_that_gets_nowhere_blames_nobody(folders: Path, source: int) -> None:
    with pytest.raises(DecoderStuckError) as caught:
        decode(source, "song.wav", folders / "decoded.wav", Limits(1 << 30, 120, 0.0, 1 << 30))
    assert "damaged" not in str(caught.value)


def test_a_decoder_that_answers_without_end_is_still_the_recordings(
    folders: Path, source: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "_read", lambda child, until_s: b"")
    monkeypatch.setattr(decoding, "_END_S", 0.0)
    with pytest.raises(DecoderDiedError) as caught:
        decode(source, "song.wav", folders / "decoded.wav", LIMITS)
    assert type(caught.value) is DecoderDiedError


@pytest.mark.parametrize(("number", "refused"), [(errno.ENAMETOOLONG, True), (errno.EINVAL, False)])
def test_a_name_is_blamed_only_where_another_one_would_do(
    engine: Engine, folders: Path, monkeypatch: pytest.MonkeyPatch, number: int, refused: bool
) -> None:
    from appliance.files.write_errors import output_error

    def failing(*_: object, **__: object) -> Path:
        error = OSError(number, os.strerror(number))
        raise output_error("song.mid", error) from error

    order = order_of(folders, "s" * 240 if refused else "song")
    monkeypatch.setattr(Publication, "path", failing)
    said = rendered(engine, folders, Channel(-1, int), order)
    assert isinstance(said, Failed) and said.kind == ("unusable" if refused else "disk")
