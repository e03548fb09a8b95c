"""Settings: defaults, strict parsing and documentation; and commands without a running service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appliance.cli.main import cli
from appliance.errors import BacklineError, UsageError
from appliance.watch.disk.found import FoundFile
from appliance.watch.journal.journal import Journal
from appliance.watch.settings.config import Config
from appliance.watch.settings.text import config_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DEFAULTS: dict[str, dict[str, Any]] = {
    "folders": {
        "inbox": "/srv/backline/inbox",
        "outbox": "/srv/backline/outbox",
        "archive": "/srv/backline/archive",
        "rejected": "/srv/backline/rejected",
        "state": "/var/lib/backline",
    },
    "intake": {
        "settle_s": 10.0,
        "scan_s": 5.0,
        "patience_s": 600.0,
        "silent_tail_s": 60.0,
        "require_done_marker": False,
        "sentinel": ".backline",
        "create_sentinel": False,
        "max_depth": 8,
        "ignore": [],
    },
    "work": {
        "pack": "/opt/backline/packs/active",
        "style": "piano",
        "takes": 1,
        "seed": 0,
        "attempts": 3,
        "retry_base_s": 30.0,
        "retry_most_s": 3600.0,
        "timeout_factor": 6.0,
        "timeout_least_s": 600.0,
        "drain_s": 60.0,
        "queue_limit": 1000,
        "decode_memory_mb": 1024,
        "decode_seconds": 900,
        "threads": 0,
        "tune": True,
    },
    "publish": {"archive_sources": True, "file_mode": "0664", "folder_mode": "2775", "group": ""},
    "space": {"least_free_mb": 2048, "resume_free_mb": 3072},
    "metrics": {"listen": "", "textfile": ""},
    "hooks": {"done": "", "rejected": "", "paused": "", "failed": ""},
}


def read(tmp_path: Path, text: str) -> Config:
    file = tmp_path / "backline.toml"
    file.write_text(text)
    return Config.read(file)


def test_defaults() -> None:
    assert Config().model_dump(mode="json") == DEFAULTS


def test_every_key_is_documented_and_shown_as_toml_that_says_the_same(tmp_path: Path) -> None:
    odd = {"folders": {"inbox": '/tmp/"a"\\b\n\x7f'}, "intake": {"ignore": ["*.bak", "ü\t"]}}
    config = Config.model_validate(odd)
    text = config_text(config)
    assert tomllib.loads(text) == config.model_dump(mode="json")
    assert read(tmp_path, text) == config
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line and not line.startswith("#"):
            assert lines[number - 1].startswith("# "), f"{line} has no documentation"
    assert max(map(len, lines)) <= 110


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[intake]\nsettle = 5", "intake.settle: unknown key"),
        ("[intake]\nsettle_s = '5'", "intake.settle_s: must be a number, not '5'"),
        ("[intake]\nsettle_s = 0", "intake.settle_s"),
        ("[intake]\nscan_s = inf", "intake.scan_s"),
        ("[intake]\nsentinel = '../x'", "intake.sentinel"),
        ("[folders]\ninbox = 'inbox'", "must be an absolute path"),
        ("[folders]\ninbox = '/a/../b'", "must be an absolute path"),
        ("[folders]\noutbox = '/srv/backline/inbox/out'", "must be two folders"),
        ("[folders]\nstate = '/srv/backline'", "must be two folders"),
        ("[work]\nstyle = 'polka'", "unknown style 'polka'"),
        ("[work]\ntakes = true", "work.takes"),
        ("[publish]\nfile_mode = 664", "publish.file_mode"),
        ("[space]\nresume_free_mb = 1", "resume_free_mb must not be less"),
        ("[metrics]\nlisten = '0.0.0.0:9477'", "metrics.listen"),
        ("[metrics]\nlisten = '127.evil.example:1'", "metrics.listen"),
        ("[nonsense]", "nonsense: unknown key"),
        ("intake = 3", "intake"),
        ("[intake", "line 1: a bracket is missing"),
    ],
)
def test_mistakes_are_told_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as told:
        read(tmp_path, text)
    assert said in str(told.value) and "backline.toml" in str(told.value)


def test_which_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BACKLINE_CONFIG", raising=False)
    monkeypatch.setattr("appliance.watch.settings.config.DEFAULT_PATH", tmp_path / "none.toml")
    assert Config.read() == Config()
    monkeypatch.setenv("BACKLINE_CONFIG", str(tmp_path / "missing.toml"))
    with pytest.raises(UsageError, match="does not exist"):
        Config.read()
    (tmp_path / "missing.toml").write_text("[work]\ntakes = 3")
    assert Config.read().work.takes == 3


def test_folders_stay_while_it_runs(tmp_path: Path) -> None:
    config = read(tmp_path, "[work]\ntakes = 2")
    (tmp_path / "backline.toml").write_text("[work]\ntakes = 3")
    assert config.reloaded(tmp_path / "backline.toml").work.takes == 3
    (tmp_path / "backline.toml").write_text("[folders]\ninbox = '/other'")
    with pytest.raises(UsageError, match="cannot change while"):
        config.reloaded(tmp_path / "backline.toml")


@pytest.fixture
def settings(watched: Config, tmp_path: Path) -> str:
    (tmp_path / "backline.toml").write_text(config_text(watched))
    return str(tmp_path / "backline.toml")


def run(*words: str) -> Any:
    return CliRunner().invoke(cli, list(words))


def test_commands_without_a_daemon(watched: Config, settings: str) -> None:
    assert "state       down" in run("status", "--config", settings).output
    with Journal(watched.folders.state, lambda: 5.0) as journal:
        job = journal.add(FoundFile(b"a\n\xff.wav", 1, 2, 3, 4, 5), "c", "p", "{}", b"a", b"a")
        journal.reject(job.id, "It is silent.")
        journal.record_rejected(job.id)
    done = run("status", "--json", "--config", settings)
    assert done.exit_code == 1 and json.loads(done.output)["rejected"] == 1
    (line,) = run("history", "--config", settings).output.splitlines()
    assert "rejected" in line and "a\\n\\xff.wav" in line and "It is silent." in line
    assert json.loads(run("history", "--json", "--config", settings).output)["vocal"] == "a\\n\\xff.wav"
    for words in (["pause"], ["resume"], ["requeue", "1"]):
        failed = run(*words, "--config", settings)
        assert isinstance(failed.exception, BacklineError) and "start it" in str(failed.exception)


def test_config_check_and_show(watched: Config, settings: str, tmp_path: Path) -> None:
    checked = run("config", "--check", "--config", settings)
    assert checked.exit_code == 1 and "pack.json is missing" in checked.output
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "pack.json").touch()
    text = Path(settings).read_text().replace("/opt/backline/packs/active", str(pack))
    Path(settings).write_text(text)
    assert run("config", "--check", "--config", settings).exit_code == 0
    assert run("config", "--show", "--config", settings).output == text
    watched.folders.archive.rmdir()
    watched.folders.archive.symlink_to(watched.folders.outbox)
    assert "are the same folder" in run("config", "--check", "--config", settings).output
    assert run("config", "--config", settings).exit_code == 2


def test_the_knowing_half_is_small() -> None:
    """Modules of the daemon import no library that parses audio or runs networks."""
    modules = """settings.config inbox.sidecar inbox.scan inbox.settling inbox.stillness inbox.intake
        inbox.sentinel journal.journal journal.recovery service.control service.telling disk.names"""
    code = "import sys\n" + "".join(f"import appliance.watch.{name}\n" for name in modules.split())
    code += "print({'numpy', 'soundfile', 'openvino', 'soxr'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()", os.fspath(done.stdout)
