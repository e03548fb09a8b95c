"""The units without systemd running: what its own checkers say, and that they and the settings agree."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.pages import backline_commands, parse, shell_lines

from appliance.watch.engine.worker import START_LIMIT_S
from appliance.watch.service.daemon import _SCAN_OVERDUE_S, _TIDY_UP_S
from appliance.watch.settings.config import DEFAULT_PATH, Config

HIGHEST_EXPOSURE = 1.5


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "systemd"


@pytest.fixture(scope="module")
def unit(folder: Path) -> dict[str, list[str]]:
    """Every directive of the service with all its values, continued lines joined."""
    return directives((folder / "backline.service").read_text())


def directives(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.replace("\\\n", " ").splitlines():
        if match := re.match(r"([A-Za-z]+)=(.*)", line):
            found.setdefault(match[1], []).append(match[2])
    return found


def seconds(text: str) -> float:
    number, unit = re.fullmatch(r"(\d+)(ms|s|min)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"ms": 0.001, "s": 1.0, "min": 60.0}[unit]


def analyzed(*words: str) -> str:
    """What systemd-analyze says; skips where the program is missing or too old."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    if "unrecognized option" in text:
        pytest.skip("this systemd-analyze is older than 252")
    return text


@pytest.mark.parametrize("drop_in", [None, "metrics-port.conf"])
def test_exposure(folder: Path, tmp_path: Path, drop_in: str | None) -> None:
    unit = tmp_path / "backline.service"
    shutil.copy(folder / "backline.service", unit)
    if drop_in is not None:
        (tmp_path / "backline.service.d").mkdir()
        shutil.copy(folder / drop_in, tmp_path / "backline.service.d")
    said = analyzed("security", "--offline=true", "--no-pager", str(unit))
    score = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", said)[1])  # type: ignore[index]
    assert score <= HIGHEST_EXPOSURE


def test_systemd_understands_every_line(folder: Path) -> None:
    units = sorted(folder.glob("*.service"))
    said = [line for line in analyzed("verify", *map(str, units)).splitlines() if "backline" in line]
    # Of a computer without Backline: its program is not there.
    assert [line for line in said if "is not executable: No such file" not in line] == []


def test_a_mistake_would_be_noticed(folder: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "backline.service"
    wrong.write_text((folder / "backline.service").read_text() + "[Service]\nKillModus=mixed\n")
    assert "KillModus" in analyzed("verify", str(wrong))


def test_paths_are_those_of_the_settings(folder: Path, unit: dict[str, list[str]]) -> None:
    settings = Config()
    folders = settings.folders
    (parent,) = unit["ReadWritePaths"]  # one: from one entry to another a rename would be a copy
    results = [folders.inbox, folders.outbox, folders.archive, folders.rejected]
    assert {str(path.parent) for path in results} == {parent}
    assert unit["StateDirectory"] == [folders.state.name] and str(folders.state.parent) == "/var/lib"
    assert unit["ConfigurationDirectory"] == [DEFAULT_PATH.parent.name]
    assert DEFAULT_PATH.parent.parent == Path("/etc")
    assert unit["NoExecPaths"] == [f"{parent} {folders.state} /var/cache/{unit['CacheDirectory'][0]}"]
    (program,) = unit["ExecStart"]
    prefix = Path(program.split()[0]).parent.parent
    assert settings.work.pack.parent.parent == prefix
    assert unit["RequiresMountsFor"] == [f"{prefix} {parent} {folders.state}"]
    made = [
        line.split() for line in (folder / "backline.tmpfiles").read_text().splitlines() if line[:1] == "d"
    ]
    assert {line[1] for line in made} == {parent, *map(str, results)}
    assert {line[2] for line in made if line[1] != parent} == {f":{settings.publish.folder_mode}"}


def test_user_and_group_are_made(folder: Path, unit: dict[str, list[str]]) -> None:
    users = [
        line.split() for line in (folder / "backline.sysusers").read_text().splitlines() if line[:1] == "u"
    ]
    assert [words[:2] for words in users] == [["u", "backline"]]
    assert unit["User"] == unit["Group"] == ["backline"]


def test_times_agree_with_the_service(unit: dict[str, list[str]]) -> None:
    work = Config().work
    (stop,), (start,), (watchdog,) = unit["TimeoutStopSec"], unit["TimeoutStartSec"], unit["WatchdogSec"]
    assert seconds(stop) >= work.drain_s + 2 * _TIDY_UP_S + 5
    assert seconds(start) > START_LIMIT_S
    assert seconds(watchdog) >= 120 > _SCAN_OVERDUE_S


def test_memory_suffices(unit: dict[str, list[str]]) -> None:
    """One GiB for the engine, what the decoder may take, and something for files on their way."""
    (high,), (most,) = unit["MemoryHigh"], unit["MemoryMax"]
    assert int(high.rstrip("G")) << 10 >= 1024 + Config().work.decode_memory_mb
    assert int(most.rstrip("G")) > int(high.rstrip("G"))


def test_every_directive_is_explained(folder: Path) -> None:
    """Each stands in a block that begins with a comment, or with its obvious neighbours."""
    text = (folder / "backline.service").read_text()
    blocks = text.split("[Service]")[1].split("[Install]")[0].strip().split("\n\n")
    assert len(blocks) >= 7
    assert [block for block in blocks if not block.lstrip().startswith("#")] == []
    assert "MemoryDenyWriteExecute" in text and "OpenVINO" in text


def test_the_commands_of_the_page_are_understood(folder: Path) -> None:
    page = (folder / "README.md").read_text()
    commands = backline_commands(page)
    assert {words[0] for words in commands} >= {"config", "hook"}
    for words in commands:
        parse([word for word in words if not word.startswith(">")])
    installed = [words for words in shell_lines(page) if words[0] == "install"]
    named = {word for words in installed for word in words if word.startswith("backline")}
    assert named == {"backline.service", "backline-failed@.service", "backline-noexec.service"} | {
        "backline.sysusers",
        "backline",  # -o and -g
    }
    named -= {"backline"}
    listed = set(re.findall(r"`([\w@.-]+\.(?:service|sysusers|tmpfiles|conf))`", page))
    assert named | {"metrics-port.conf"} <= listed
    others = {"backline-recover.service", "recover.sh", "metrics-port.conf", "backline.tmpfiles"}
    others |= {"noexec.conf", "noexec.sh"}
    assert others <= set(re.findall(r"`([\w@.-]+)`", page))
    assert {file.name for file in folder.iterdir()} == named | others | {"README.md"}
