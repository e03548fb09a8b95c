"""The README and the map say what is so: their commands are understood, their paths exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from support.pages import backline_commands, build_commands, parse, shell_lines

from appliance import errors
from appliance.cli.main import cli
from appliance.music.score import STYLES


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text()


def test_every_training_command_parses(readme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from train.cli import main

    commands = build_commands(readme, "train")
    assert {"songs", "vae", "planner", "denoiser", "checkpoint", "evaluate"} <= {c[0] for c in commands}
    monkeypatch.chdir(tmp_path)  # where the folders that the commands name exist
    for name in ("CORPUS", "checkpoints/mine", "checkpoints/reference", "packs/reference", "docs/reference"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "packs" / "reference" / "band.sf2").write_bytes(b"")
    group = click.Context(main, info_name="train")
    for words in commands:
        name, command, rest = main.resolve_command(group, words)
        assert command is not None
        command.make_context(name, rest, parent=group)


def test_every_backline_command_parses(readme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = backline_commands(readme)
    assert {words[0] for words in commands} >= {"render", "doctor"}
    monkeypatch.chdir(tmp_path)  # where the files that the commands name exist
    for name in ("vocal.wav", "chart.txt"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "packs" / "reference").mkdir(parents=True)
    for words in commands:
        parse(words)


def test_a_wrong_option_would_be_noticed() -> None:
    with pytest.raises(click.UsageError):
        parse(["render", "vocal.wav", "--loudly"])


def test_the_options_of_render_are_those_documented(readme: str) -> None:
    documented = set(re.findall(r"^\| `(--[a-z-]+)", readme, re.MULTILINE))
    offered = {
        option
        for parameter in cli.commands["render"].params
        for option in parameter.opts
        if option.startswith("--") and option != "--help"
    }
    assert documented == offered


def test_the_styles_are_those_documented(readme: str) -> None:
    (row,) = re.findall(r"^\| `--style S` \| (.+) \|$", readme, re.MULTILINE)
    assert tuple(re.findall(r"`(\w+)`", row)) == STYLES


def test_the_exit_codes_are_those_documented(readme: str) -> None:
    table = readme.split("### Exit codes")[1].split("\n## ")[0]
    documented = set(map(int, re.findall(r"^\| (\d+) \|", table, re.MULTILINE)))
    kinds = [errors.BacklineError, *errors.BacklineError.__subclasses__()]
    assert documented == {0, *(kind.exit_code for kind in kinds), errors.INTERRUPTED_EXIT_CODE}


def test_make_targets_exist(root: Path, readme: str) -> None:
    contributing = (root / "CONTRIBUTING.md").read_text()
    targets = {words[1] for words in shell_lines(readme + contributing) if words[0] == "make"}
    assert {"demo", "test"} <= targets
    rules = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.MULTILINE))
    assert targets <= rules
    assert "make test" in (root / ".ci" / "run").read_text().splitlines()


def test_python_modules_of_the_readme_run(root: Path, readme: str) -> None:
    modules = {words[2] for words in shell_lines(readme) if words[:2] == [".venv/bin/python", "-m"]}
    assert {"train", "export", "quantize", "bench.render"} <= modules
    for module in sorted(modules):
        command = [sys.executable, "-m", module, "--help"]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{module}: {done.stderr}"


def test_paths_in_the_documents_exist(root: Path, readme: str) -> None:
    contributing = (root / "CONTRIBUTING.md").read_text()
    linked = set(re.findall(r"\]\(([^):#]+)\)", readme + contributing))
    outside = {"corpus/", "vocals/", "../shared"}  # data that no checkout holds
    named = set(re.findall(r"`([a-z_.-]+/[\w/.-]*)`", contributing)) - outside
    assert len(named) > 10
    assert [path for path in sorted(linked | named) if not (root / path).exists()] == []


def test_every_room_is_on_the_map(root: Path) -> None:
    contributing = (root / "CONTRIBUTING.md").read_text()
    listing = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    rooms = {line.split("/")[0] for line in listing.stdout.splitlines() if "/" in line and line[0] != "."}
    assert {room for room in rooms if f"`{room}/`" not in contributing} == set()


@pytest.mark.slow
def test_the_render_example_renders(
    readme: str, reference_pack: Path, demo_vocal: Path, tmp_path: Path
) -> None:
    """The first example, word for word, on six seconds of the demo vocal."""
    import soundfile

    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / "reference").symlink_to(reference_pack)
    samples, rate_hz = soundfile.read(demo_vocal, frames=6 * soundfile.info(demo_vocal).samplerate)
    soundfile.write(tmp_path / "vocal.wav", samples, rate_hz)
    words = next(words for words in backline_commands(readme) if words[0] == "render")
    backline = [sys.executable, "-c", "from appliance.cli.main import main; main()"]
    subprocess.run([*backline, *words], cwd=tmp_path, check=True, capture_output=True)
    promised = re.findall(r"^\| `(vocal\.[\w.]+|stems/)` \|", readme, re.MULTILINE)
    assert len(promised) == 5
    assert [name for name in promised if not (tmp_path / "results" / name).exists()] == []
