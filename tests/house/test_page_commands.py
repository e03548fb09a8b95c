"""Every command in the pages is run here, or else parsed by the real command line: PARSED_ONLY says why.

``backline`` runs in this process with the fake pack and a vocal of seven seconds, the commands that ask the
service ask a real one.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
import soundfile
from click.testing import CliRunner, Result
from support.pages import backline_commands, blocks, first_cells, named, pages, parse, section, shell_lines
from support.references import chords, midi
from support.vocals import sung
from support.watch.service import Service

from appliance.cli.main import cli

pytestmark = pytest.mark.service

Run = Callable[[list[str]], Result]

PAGES = (
    *("README.md", "CONTRIBUTING.md", "demo/README.md", "systemd/README.md", "bench/README.md"),
    *("docs/architecture.md", "docs/evaluation.md", "docs/glossary.md", "docs/install.md"),
    *("docs/older-hosts.md", "docs/options.md", "docs/speed.md", "docs/train.md"),
)

_INSTALLED = "changes an installation: tests/appliance/releases and tests/machine run it"
_SYSTEM = "changes the system: tests/machine runs it, as root in a throwaway machine"
_BY_HAND = "is for a system that only a person has; tests/machine does the same on Debian"
_INDEX = "needs a package index: .ci/run and `make` install from one"
_HOURS = "takes minutes to hours and needs the corpus: tests/train runs each stage in small"
_BENCH = "takes minutes on an idle machine: tests/bench runs each part in small"

PARSED_ONLY: dict[str, str] = {
    "backline watch": "runs until it is stopped: the service of these tests is this command",
    "backline release install": _INSTALLED,
    "backline release rollback": _INSTALLED,
    "backline release uninstall": _INSTALLED,
    "backline pack install": _INSTALLED,
    "backline pack use": _INSTALLED,
    "backline pack rollback": _INSTALLED,
    "make": "takes minutes, and sets up environments: .ci/run runs `make test`; here it is `make -n`",
    "sh": _INSTALLED,
    "python -m train": _HOURS,
    "python -m train.singer.demo": "needs the corpus and espeak-ng: tests/train runs the singer",
    "python -m export": "takes minutes: tests/export runs it on a tiny checkpoint",
    "python -m quantize": "takes minutes: tests/quantize runs it on tiny graphs",
    "python -m quantize.metrics": "changes a pack: tests/quantize runs it",
    "python -m bundle": "needs minisign: tests/bundle runs it",
    "python -m bench.mask": _BENCH,
    "python -m bench.render": _BENCH,
    "python -m bench.stages": _BENCH,
    "python -m pytest": "is what runs this test",
    "python -m venv": _INDEX,
    "python3 -m venv": _INDEX,
    "pip": _INDEX,
    "echo": "writes into an environment that was not made",
    "apt": _SYSTEM,
    "cd": _SYSTEM,
    "cp": _SYSTEM,
    "install": _SYSTEM,
    "systemctl": _SYSTEM,
    "systemd-sysusers": _SYSTEM,
    "podman": "needs an engine: tests/machine/test_container.py runs the image",
    **dict.fromkeys(("ldd", "uname", "stat", "getenforce", "ls", "ps", "ausearch"), _BY_HAND),
    **dict.fromkeys(("systemd-analyze", "printf", "chmod", "reboot", "backline doctor"), _BY_HAND),
    "restorecon": _SYSTEM,
    "semanage": _SYSTEM,
    "usermod": _SYSTEM,
}
"""Beginnings of commands that are not run here, and why."""

EXTRA = {"tune": ["--seconds", "1"]}
"""What a command is given besides, so that it takes seconds."""


def name_of(words: list[str]) -> list[str]:
    """A command as PARSED_ONLY names it: programs without their folder."""
    return [Path(words[0]).name, *words[1:]]


def parsed_only(words: list[str]) -> str | None:
    """The longest beginning of a command that PARSED_ONLY has."""
    line = name_of(words)
    found = [begin for begin in PARSED_ONLY if line[: len(begin.split())] == begin.split()]
    return max(found, key=len, default=None)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, root: Path, fake_pack: Path) -> Iterator[Path]:
    """A folder in which every file that the pages name exists, and a service that has rendered a vocal."""
    folder = tmp_path_factory.mktemp("studio")
    (folder / "packs").mkdir()
    (folder / "packs" / "reference").symlink_to(fake_pack)
    (folder / "demo" / "styles").mkdir(parents=True)
    (folder / "opt" / "keys").mkdir(parents=True)
    (folder / "opt" / "keys" / "house.pub").write_bytes((root / "tests/data/signed/house.pub").read_bytes())
    soundfile.write(folder / "vocal.wav", sung(7.0), 44_100)
    soundfile.write(folder / "demo" / "vocal.flac", sung(3.0), 44_100)
    options = pages(root)["docs/options.md"]
    (folder / "chart.txt").write_text(blocks(options, "chart")[0])
    (folder / "beats.txt").write_text(blocks(options, "beats")[0])
    midi(folder / "groove.mid", [("Piano", 0, chords())])
    with Service(folder / "watched", fake_pack, {"publish": {"archive_sources": False}}) as service:
        service.start()
        service.drop(folder / "demo" / "vocal.flac", "first.flac")
        service.until(lambda: service.status().get("counts", {}).get("done"), "for the first job")
        yield folder


@pytest.fixture
def run(studio: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``backline`` in the studio; what it prints goes into a file where the command says so."""
    monkeypatch.chdir(studio)
    monkeypatch.setenv("BACKLINE_CONFIG", str(studio / "watched" / "backline.toml"))
    monkeypatch.setenv("BACKLINE_PREFIX", str(studio / "opt"))

    def command(words: list[str]) -> Result:
        words, target = redirected(words)
        result = CliRunner().invoke(cli, [*words, *EXTRA.get(words[0], [])])
        if target and not target.startswith("/"):
            Path(target).write_text(result.stdout)
        return result

    return command


def redirected(words: list[str]) -> tuple[list[str], str]:
    """A command without ``> FILE`` at its end, and FILE."""
    at = next((i for i, word in enumerate(words) if word.startswith(">")), len(words))
    return words[:at], "".join(words[at:]).removeprefix(">")


def test_these_are_all_pages(root: Path) -> None:
    assert set(PAGES) == set(pages(root))


@pytest.mark.parametrize("name", PAGES)
def test_commands_run(name: str, root: Path, run: Run) -> None:
    """Each once: the first page that has it is where it fails."""
    for words in new_in(name, root):
        if parsed_only(words) is None:
            assert name_of(words)[0] == "backline", f"neither run nor parsed: {' '.join(words)}"
            result = run(words[1:])
            assert result.exit_code == 0, f"{' '.join(words)}: {result.output} {result.exception!r}"


def new_in(name: str, root: Path) -> list[list[str]]:
    """Commands of a page that no page before it in PAGES has."""
    texts = pages(root)
    before = [words for other in PAGES[: PAGES.index(name)] for words in shell_lines(texts[other])]
    return [words for words in shell_lines(texts[name]) if words not in before]


def test_what_is_only_parsed_stands_in_some_page(root: Path) -> None:
    used = {parsed_only(words) for text in pages(root).values() for words in shell_lines(text)}
    assert PARSED_ONLY.keys() - used == set()


@pytest.mark.parametrize("name", PAGES)
def test_other_commands_parse(name: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = pages(root)[name]
    for block in blocks(text, "sh"):
        subprocess.run(["bash", "-n", "-c", block], check=True)
    monkeypatch.chdir(tmp_path)  # where the folders that the commands name exist
    for folder in (
        "CORPUS",
        "CORPUS2",
        "checkpoints/mine",
        "checkpoints/reference",
        "packs/reference",
        "docs/reference",
    ):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "packs" / "reference" / "band.sf2").touch()
    for words in new_in(name, root):
        if parsed_only(words) is not None:
            parses(words, root, monkeypatch)


def parses(words: list[str], root: Path, patch: pytest.MonkeyPatch) -> None:
    """Fails where a command's own command line would not take these words."""
    program, *rest = name_of(words)
    if program == "backline":
        parse(redirected(rest)[0])
    elif program == "make":
        subprocess.run(["make", "-n", *rest], cwd=root, check=True, capture_output=True)
        for options in (word.removeprefix("BENCH=") for word in rest if word.startswith("BENCH=")):
            arguments_parse("bench.__main__", shlex.split(options), patch)
    elif program == "sh":
        options = set(re.findall(r"^  (--[a-z-]+)", (root / "bundle/carriers/header.sh").read_text(), re.M))
        assert set(rest[1:]) <= options
    elif program == "pip" and "-r" in rest:
        assert (root / rest[rest.index("-r") + 1]).is_file()
    elif rest[:1] == ["-m"]:
        module_parses(rest[1], rest[2:], root, patch)


def module_parses(module: str, words: list[str], root: Path, patch: pytest.MonkeyPatch) -> None:
    if module == "bench.mask":
        assert words[0] in importlib.import_module(module).ONEDNN_CAP
        parses(words[1:], root, patch)
    elif module.startswith("bench."):
        arguments_parse(module, words, patch)
    elif module == "pytest":
        assert (root / words[0]).is_file()
    elif module == "train.singer.demo":
        assert importlib.util.find_spec(module) is not None and len(words) == 1
    elif module != "venv":
        pytest.importorskip("torch")
        names = {"train": "train.cli", "quantize.metrics": "quantize.metrics"}
        main = importlib.import_module(names.get(module, f"{module}.__main__")).main
        if isinstance(main, click.Group):
            parse(words, main)
        else:
            main.make_context(module, list(words))


def arguments_parse(module: str, words: list[str], patch: pytest.MonkeyPatch) -> None:
    """Runs the ``main`` of a module of argparse until its words are parsed."""
    parse_args = argparse.ArgumentParser.parse_args

    class Parsed(Exception):
        """They are."""

    def stop(parser: argparse.ArgumentParser) -> None:
        parse_args(parser)
        raise Parsed

    with patch.context() as own:
        own.setattr(argparse.ArgumentParser, "parse_args", stop)
        own.setattr(sys, "argv", [module, *words])
        with pytest.raises(Parsed):
            importlib.import_module(module).main()


def test_wrong_words_are_noticed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(click.UsageError):
        parses(["backline", "watch", "--loudly"], root, monkeypatch)
    with pytest.raises(SystemExit):
        parses(["python", "-m", "bench.render", "--mask", "pentium"], root, monkeypatch)
    with pytest.raises(subprocess.CalledProcessError):
        parses(["make", "music"], root, monkeypatch)


def test_a_render_leaves_what_the_pages_promise(root: Path, studio: Path, run: Run) -> None:
    """The first example, word for word; file by file, and the receipt field by field."""
    page = pages(root)
    words = next(words for words in backline_commands(page["README.md"]) if words[0] == "render")
    shutil.rmtree(studio / "results", ignore_errors=True)
    assert run(words).exit_code == 0
    for text in (
        section(page["README.md"], "## Render"),
        section(page["docs/options.md"], "## What comes out"),
    ):
        promised = named(first_cells(text))
        assert len(promised) == 5
        assert [name for name in promised if not (studio / "results" / name).exists()] == []
    receipt = json.loads((studio / "results" / "vocal.receipt.json").read_text())
    documented = named(first_cells(section(page["docs/options.md"], "## The receipt")))
    assert documented == [field for field in documented if field in receipt]
    assert set(receipt) == set(documented)


def test_excerpts_are_made_as_the_page_says(root: Path, run: Run, studio: Path) -> None:
    page = pages(root)["demo/README.md"]
    for words in backline_commands(page):
        made_before = (studio / words[words.index("--out") + 1]).is_dir()
        assert made_before or run(words).exit_code == 0
    (program,) = blocks(page, "python")
    exec(compile(program, "demo/README.md", "exec"), {})
    made = sorted(path.name for path in (studio / "demo" / "styles").iterdir())
    assert made == sorted(path.name for path in (root / "demo" / "styles").iterdir())
