"""``backline hook EVENT``, by which administrators test a hook and systemd reports a failed service."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.cli.main import cli
from appliance.errors import OutputError
from appliance.watch.reports import hooks


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "my hook"
    path.write_text('#!/bin/sh\nprintf "%s %s %s" "$BACKLINE_EVENT" "$BACKLINE_UNIT" "$1" >"$2"\nexit $3\n')
    path.chmod(0o755)
    return path


def asked(tmp_path: Path, command: str) -> Result:
    settings = tmp_path / "backline.toml"
    settings.write_text(f"[hooks]\nfailed = '{command}'\n")
    words = ["hook", "failed", "--config", str(settings)]
    return CliRunner().invoke(cli, words, env={"BACKLINE_UNIT": "backline.service"})


def test_it_runs_with_the_facts_and_without_a_shell(tmp_path: Path, script: Path) -> None:
    done = asked(tmp_path, f'"{script}" ";" "{tmp_path}/told" 0')
    assert done.exit_code == 0, done.output
    assert (tmp_path / "told").read_text() == "failed backline.service ;"


def test_none_is_no_error(tmp_path: Path) -> None:
    done = asked(tmp_path, "")
    assert done.exit_code == 0 and "No hooks.failed" in done.output


@pytest.mark.parametrize("command", ["/nowhere/at/all", '"unbalanced', '"{script}" x "{tmp}/told" 3', " "])
def test_one_that_fails_is_one(tmp_path: Path, script: Path, command: str) -> None:
    done = asked(tmp_path, command.format(script=script, tmp=tmp_path))
    assert isinstance(done.exception, OutputError) and "hooks.failed" in str(done.exception)


def test_one_that_hangs_is_ended_with_its_children(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(hooks, "LIMIT_S", 0.2)
    with pytest.raises(OutputError, match="timed out"):
        hooks.run_now("failed", "sh -c 'sleep 1000 & wait'", {"PATH": "/usr/bin:/bin"})
