"""Profile files: written atomically, ignored with a sentence if unusable, and followed by renders."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile
from click.testing import CliRunner
from support.made_up_bench import KEY
from support.vocals import sung

from appliance.cli.main import cli
from appliance.errors import OutputError
from appliance.networks.setting import GraphSetting
from appliance.packs.pack import load_pack
from appliance.rendering.engine import Engine
from appliance.rendering.job import RenderJob
from appliance.rendering.render import render
from appliance.system.cpu import read_cpu
from appliance.tuning.profile import Alternative, GraphProfile, Profile, ProfileKey
from appliance.tuning.profile_key import key_of
from appliance.tuning.store import MAX_FILES, profile_path, profiles_folder, read_profile, write_profile
from appliance.tuning.workbench import Workbench


def profile_of(key: ProfileKey = KEY, **changes: Any) -> Profile:
    one = GraphSetting(threads=1)
    used = Alternative(setting=one, ratio=1.5, snr_db=200.0, refused="")
    graphs = {"denoiser": GraphProfile(chosen=one, ms=1.0, shipped_ms=1.5, alternatives=(used,))}
    return Profile.model_validate({"key": key, "graphs": graphs, "finished": True, **changes})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there" / "yet"
    assert read_profile(folder, KEY) == (None, "")
    write_profile(folder, profile_of())
    assert read_profile(folder, KEY) == (profile_of(), "")
    assert [file.name for file in folder.iterdir()] == [f"{KEY.digest}.json"]
    assert read_profile(None, KEY) == (None, "")


def test_what_earlier_releases_called_a_plan_is_read(tmp_path: Path) -> None:
    """Earlier releases kept profiles in the folder ``plans`` and had the option ``--plans``."""
    old, new = tmp_path / "plans", tmp_path / "profiles"
    write_profile(old, profile_of())
    assert read_profile(new, KEY) == (profile_of(), "")
    newer = profile_of(seconds=2.0)
    write_profile(new, newer)
    assert read_profile(new, KEY) == (newer, "")
    help_text = CliRunner().invoke(cli, ["doctor", "--help"]).output
    assert "--profiles" in help_text and "--plans" in help_text


@pytest.mark.parametrize(
    "change",
    [
        {"processor": "Another"},
        {"flags_sha256": "f" * 64},
        {"cores": 3},
        {"threads": 3},
        {"pack_sha256": "e" * 64},
        {"openvino": "2"},
        {"backline": "3"},
    ],
)
def test_a_profile_is_for_one_computer_pack_and_version(tmp_path: Path, change: dict[str, Any]) -> None:
    write_profile(tmp_path, profile_of())
    other = KEY.model_copy(update=change)
    assert read_profile(tmp_path, other) == (None, "")
    profile_path(tmp_path, KEY).rename(profile_path(tmp_path, other))
    profile, trouble = read_profile(tmp_path, other)
    assert profile is None and "is for another computer, pack or version" in trouble


def test_the_key_is_this_computer_and_pack(fake_pack: Path) -> None:
    pack, cpu = load_pack(fake_pack), read_cpu()
    key = key_of(pack, None)
    assert (key.processor, key.cores, key.threads) == (cpu.model, cpu.cores, cpu.cores)
    assert key.pack_sha256 == pack.sha256
    assert key_of(pack, None) == key != key_of(pack, cpu.cores + 1)
    lesser = replace(cpu, flags=cpu.flags - {"sse4_2"})
    assert key_of(pack, None, lesser).flags_sha256 != key.flags_sha256


def damaged(text: str) -> dict[str, bytes]:
    facts = json.loads(text)

    def with_(**changes: Any) -> bytes:
        return json.dumps({**facts, **changes}).encode()

    threads = json.loads(text)
    threads["graphs"]["denoiser"]["chosen"]["threads"] = 0
    unchosen = json.loads(text)
    unchosen["graphs"]["denoiser"]["chosen"]["threads"] = 7
    return {
        "empty": b"",
        "half": text.encode()[: len(text) // 2],
        "no text": b"\xff\x00\xfe",
        "a list": b"[]",
        "deep": b"[" * 100_000,
        "endless": b" " * (2 << 20) + text.encode(),
        "old": with_(schema=0),
        "new": with_(schema=2),
        "unknown key": with_(colour="blue"),
        "word for number": with_(tries="1"),
        "no threads": json.dumps(threads).encode(),
        "not what was measured": json.dumps(unchosen).encode(),
        "not a number": text.replace('"seconds": 0.0', '"seconds": NaN').encode(),
    }


@pytest.mark.parametrize("how", damaged(profile_of().to_json()))
def test_a_file_that_is_no_profile_is_ignored_and_said(tmp_path: Path, how: str) -> None:
    profile_path(tmp_path, KEY).write_bytes(damaged(profile_of().to_json())[how])
    profile, trouble = read_profile(tmp_path, KEY)
    assert profile is None
    assert trouble.startswith(str(profile_path(tmp_path, KEY))) and "run 'backline tune'" in trouble
    write_profile(tmp_path, profile_of())
    assert read_profile(tmp_path, KEY) == (profile_of(), "")


def test_a_folder_in_its_place_is_ignored_and_said(tmp_path: Path) -> None:
    profile_path(tmp_path, KEY).mkdir()
    profile, trouble = read_profile(tmp_path, KEY)
    assert profile is None and "cannot be read (Is a directory)" in trouble
    with pytest.raises(OutputError, match="cannot be written"):
        write_profile(tmp_path, profile_of())
    assert not list(tmp_path.glob("*.part"))


def test_two_that_measure_at_once_leave_one_whole_profile(tmp_path: Path) -> None:
    profiles = [profile_of(seconds=float(number)) for number in range(8)]
    seen: list[tuple[Profile | None, str]] = []

    def work(profile: Profile) -> None:
        for _ in range(10):
            write_profile(tmp_path, profile)
            seen.append(read_profile(tmp_path, KEY))

    workers = [threading.Thread(target=work, args=(profile,)) for profile in profiles]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(seen) == 80 and all(profile in profiles and trouble == "" for profile, trouble in seen)
    assert [file.name for file in tmp_path.iterdir()] == [f"{KEY.digest}.json"]


def test_profiles_that_nobody_needs_any_more_go(tmp_path: Path) -> None:
    for number in range(MAX_FILES + 5):
        write_profile(tmp_path, profile_of(KEY.model_copy(update={"cores": number + 1})))
    assert len(list(tmp_path.iterdir())) == MAX_FILES


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"STATE_DIRECTORY": "/var/lib/backline", "HOME": "/h"}, "/var/lib/backline/profiles"),
        ({"XDG_STATE_HOME": "/s", "HOME": "/h"}, "/s/backline/profiles"),
        ({"HOME": "/h"}, "/h/.local/state/backline/profiles"),
        ({"HOME": "somewhere"}, None),
        ({}, None),
    ],
)
def test_where_profiles_are(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], folder: str | None
) -> None:
    for name in ("STATE_DIRECTORY", "XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert profiles_folder() == (None if folder is None else Path(folder))


@pytest.mark.slow
def test_every_graph_of_a_job_can_be_measured(fake_pack: Path) -> None:
    one = GraphSetting(threads=1)
    bench = Workbench(load_pack(fake_pack), one)
    assert set(bench.graphs) == {"denoiser", "vae_decoder", "planner", "fit", "condition", "audio_decoder"}
    for graph in bench.graphs:
        trial, again = bench.trial(graph, one), Workbench(load_pack(fake_pack), one).trial(graph, one)
        for first, second in zip(trial(0), again(0), strict=True):
            assert first.tobytes() == second.tobytes()


@pytest.mark.slow
def test_a_render_follows_the_profile_and_its_receipt_names_it(
    fake_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vocal = tmp_path / "song.wav"
    soundfile.write(vocal, sung(3.0), 44_100, subtype="FLOAT")
    profile = profile_of(key_of(load_pack(fake_pack), None))
    write_profile(tmp_path / "profiles", profile)

    def files(engine: Engine, out: str) -> tuple[str | None, dict[str, str]]:
        (receipt,) = render(engine, RenderJob(vocal, tmp_path / out), "test")
        return receipt.facts["profile"], receipt.facts["files"]

    shipped, planned = Engine(fake_pack), Engine(fake_pack, profiles=tmp_path / "profiles")
    assert planned.graphs.setting("denoiser") == GraphSetting(threads=1)
    name, first = files(planned, "a")
    assert name == profile.sha256
    assert files(planned, "b") == (name, first)
    assert files(shipped, "c")[0] is None
    shipped.follow(profile)
    assert shipped.profile == profile and files(shipped, "d") == (name, first)


@pytest.mark.slow
def test_tune_writes_what_render_and_doctor_read(fake_pack: Path, tmp_path: Path) -> None:
    profiles = ["--pack", str(fake_pack), "--profiles", str(tmp_path / "profiles")]
    run = CliRunner().invoke(cli, ["tune", *profiles, "--seconds", "2", "--json"])
    assert run.exit_code == 0, run.output
    profile, trouble = read_profile(tmp_path / "profiles", key_of(load_pack(fake_pack), None))
    assert profile is not None and not trouble
    assert json.loads(run.stdout) == json.loads(profile.to_json())
    told = CliRunner().invoke(cli, ["doctor", *profiles, "--out", str(tmp_path)]).stdout
    assert f"profile: Profile {profile.sha256[:8]}" in told and "shipped" in told
    profile_path(tmp_path / "profiles", profile.key).write_text("{}")
    told = CliRunner().invoke(cli, ["doctor", *profiles, "--out", str(tmp_path)]).stdout
    assert "warn  profile: " in told and "is damaged" in told
