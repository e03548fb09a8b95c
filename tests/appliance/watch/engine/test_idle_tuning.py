"""The idle service measures its CPU once, and then uses the profile."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile
from support.vocals import sung
from support.watch.service import Service

from appliance.networks.setting import GraphSetting
from appliance.rendering.engine import Engine
from appliance.tuning.profile import GraphProfile, Profile
from appliance.tuning.profile_key import key_of
from appliance.tuning.store import read_profile, write_profile
from appliance.watch.engine.idle_tuning import MAX_TRIES, IdleTuning
from appliance.watch.engine.messages import Setup, Tuning

Measured = Callable[..., Iterator[Profile]]
ONE = {"denoiser": GraphProfile(chosen=GraphSetting(threads=1), ms=1.0, shipped_ms=1.0)}


@pytest.fixture(scope="module")
def engine(fake_pack: Path) -> Engine:
    return Engine(fake_pack, 2)


@pytest.fixture
def setup(fake_pack: Path, tmp_path: Path) -> Setup:
    return Setup(str(fake_pack), "", 2, 0, 0, 0.0, str(tmp_path / "profiles"), tune=True)


@pytest.fixture
def measuring(monkeypatch: pytest.MonkeyPatch) -> Callable[[Measured], None]:
    """Replaces :func:`appliance.tuning.measuring.tune_pack`."""

    def replaced(measured: Measured) -> None:
        monkeypatch.setattr("appliance.tuning.measuring.tune_pack", measured)

    return replaced


def profile_of(engine: Engine, **changes: Any) -> Profile:
    facts = {"key": key_of(engine.pack, 2), "graphs": ONE, "finished": True, **changes}
    return Profile.model_validate(facts)


def song_of(folder: Path, seconds: float) -> Path:
    song = folder / f"song-{seconds}.wav"
    soundfile.write(song, sung(seconds), 44_100, subtype="FLOAT")
    return song


def kept(engine: Engine, setup: Setup) -> Profile:
    profile, trouble = read_profile(Path(setup.profiles), key_of(engine.pack, 2))
    assert profile is not None and not trouble
    return profile


def test_each_piece_is_told_and_the_last_profile_is_followed(
    engine: Engine, setup: Setup, measuring: Callable[[Measured], None]
) -> None:
    engine.profile = None
    final = profile_of(engine, seconds=31.0)
    asked: dict[str, Any] = {}

    def measured(pack: object, threads: int | None, cache: object, known: object) -> Iterator[Profile]:
        asked.update(threads=threads, known=known)
        yield profile_of(engine, graphs={}, finished=False, seconds=15.0)
        yield final

    measuring(measured)
    tuning = IdleTuning(engine, setup)
    assert tuning.pending
    assert tuning.step() == Tuning(0.0, "")
    noted = kept(engine, setup)  # before a measurement that may crash the engine
    assert not noted.finished and noted.tries == 1 and noted.graphs == {}
    assert tuning.step() == Tuning(0.25, "") and tuning.pending
    assert tuning.step() == Tuning(31 / 60, "") and tuning.pending
    assert tuning.step() == Tuning(1.0, final.sha256) and not tuning.pending
    assert asked == {"threads": 2, "known": None}
    assert kept(engine, setup) == final
    assert engine.graphs.setting("denoiser") == GraphSetting(threads=1)


def test_an_engine_that_died_of_it_tries_so_often_and_keeps_what_was_found(
    engine: Engine, setup: Setup, measuring: Callable[[Measured], None]
) -> None:
    measuring(lambda *_, **__: iter([profile_of(engine)]))
    for tries in range(1, MAX_TRIES + 1):
        engine.profile = None if tries == 1 else profile_of(engine, finished=False, tries=tries - 1)
        tuning = IdleTuning(engine, setup)
        assert tuning.pending
        tuning.step()
        assert kept(engine, setup).tries == tries
        assert kept(engine, setup).graphs == ({} if tries == 1 else ONE)
    engine.profile = profile_of(engine, finished=False, tries=MAX_TRIES)
    assert not IdleTuning(engine, setup).pending


def test_nothing_is_measured_that_is_known_or_not_wanted(engine: Engine, setup: Setup) -> None:
    engine.profile = profile_of(engine)
    assert not IdleTuning(engine, setup).pending
    engine.profile = None
    assert not IdleTuning(engine, replace(setup, tune=False)).pending
    assert not IdleTuning(engine, replace(setup, profiles="")).pending


@pytest.mark.parametrize("error", [RuntimeError("no kernel"), MemoryError(), OSError(28, "full")])
def test_measuring_that_fails_leaves_the_engine_as_it_was(
    engine: Engine, setup: Setup, measuring: Callable[[Measured], None], error: Exception
) -> None:
    def measured(*_: object, **__: object) -> Iterator[Profile]:
        raise error
        yield

    measuring(measured)
    engine.profile = None
    tuning = IdleTuning(engine, setup)
    tuning.step()
    assert tuning.step() == Tuning(1.0, "") and not tuning.pending


def test_a_folder_that_cannot_be_written_is_no_end(engine: Engine, setup: Setup, tmp_path: Path) -> None:
    (tmp_path / "profiles").write_text("a file")
    engine.profile = None
    tuning = IdleTuning(engine, setup)
    assert tuning.step() == Tuning(1.0, "") and not tuning.pending


@pytest.mark.service
def test_the_service_measures_once_and_follows_it(fake_pack: Path, tmp_path: Path) -> None:
    song = song_of(tmp_path, 2.0)
    with Service(tmp_path, fake_pack, {"work": {"tune": True}}) as service:
        service.start()
        service.until(lambda: service.status().get("pack"), "for the engine")
        service.drop(song, "early.wav")  # a vocal that arrives meanwhile is rendered
        service.until_quiet()
        assert (tmp_path / "outbox" / "early" / "early.receipt.json").is_file()
        service.until(lambda: service.status()["pack"]["profile"], "for a profile")
        service.until(lambda: service.status()["tuned"] == 1.0, "for the measuring")
        (file,) = (tmp_path / "state" / "profiles").iterdir()
        stored = Profile.model_validate_json(file.read_bytes())
        assert stored.finished and stored.key.threads == 1
        profile = service.status()["pack"]["profile"]
        assert profile == stored.sha256
        service.drop(song_of(tmp_path, 2.1), "song.wav")
        service.until_quiet()
        receipt = json.loads((tmp_path / "outbox" / "song" / "song.receipt.json").read_text())
        assert receipt["profile"] == profile
        assert service.stop() == 0
        before = file.stat().st_mtime_ns
        service.start()
        service.until(
            lambda: (service.status().get("pack") or {}).get("profile") == profile, "for the profile"
        )
        assert service.status()["tuned"] == 1.0
        assert service.stop() == 0
        assert file.stat().st_mtime_ns == before and service.log.count("Profile ") == 1


@pytest.mark.service
def test_a_damaged_profile_is_said_and_measured_anew(fake_pack: Path, tmp_path: Path) -> None:
    engine = Engine(fake_pack, 1, wait=False)
    write_profile(tmp_path / "state" / "profiles", profile_of(engine, key=key_of(engine.pack, 1)))
    (file,) = (tmp_path / "state" / "profiles").iterdir()
    file.write_bytes(file.read_bytes()[:100])
    with Service(tmp_path, fake_pack, {"work": {"tune": True}}) as service:
        service.start()
        service.until(lambda: "is damaged or of another version" in service.log)
        service.until(lambda: Profile.model_validate_json(file.read_bytes()) if _whole(file) else None)
        assert service.stop() == 0


def _whole(file: Path) -> bool:
    return file.read_bytes().rstrip().endswith(b"}")
