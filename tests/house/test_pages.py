"""The pages say what is so: their links lead somewhere, their tables are those of the code.

``test_page_commands.py`` runs their commands.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from support.pages import (
    anchors,
    commands_of,
    first_cells,
    inline_code,
    links,
    named,
    options_of,
    pages,
    parse,
    section,
    sentences,
    word_count,
)

from appliance.cli.main import cli

MOST_WORDS = 900

TERMS = (
    *(
        "runtime",
        "build-side",
        "vocal",
        "accompaniment",
        "beat-grid",
        "chart",
        "key",
        "plan",
        "score",
        "group",
        "style",
        "band",
    ),
    *(
        "stem",
        "take",
        "redo",
        "variety",
        "fit",
        "voicing",
        "frame",
        "roll",
        "latent",
        "score-vae",
        "planner",
        "chord-network",
    ),
    *("condition", "denoiser", "student", "sampler", "forward-pass", "window", "fit-network"),
    *("audio-decoder", "graph", "graph-setting", "profile", "corpus", "checkpoint", "calibration", "pack"),
    *("manifest", "room", "job", "wish", "publishing", "receipt", "setting", "hook", "inbox", "settling"),
    *("sentinel", "companion", "sidecar", "journal", "rejected", "release", "bundle", "signing-key"),
    *("evaluation", "gap-closed", "judge", "real-time-factor", "mask", "period", "crumb", "rhythm-plan"),
)
"""What the glossary must hold, as links to it are written."""

ONE_MEANING = (
    (r"\bplans?\b", r"^(?!.*\b(CPU|fastest|tunes?)\b)", "it is harmony; what is measured is a profile"),
    (r"\b[Pp]rocessors?\b", "$^", "say CPU"),
    (r"\breckon|\baloud\b|\bloudly\b|\bgives? way\b|\bholds? itself\b", "$^", "say what happens"),
    (r"\bsampler\b", r"\b(noise|denoiser|solver|solves)\b", "the band plays"),
    (r"\b[Vv]oicing\b", r"\b(sung|pitch)\b", "it is of singing"),
    (r"\b[Ss]ettl", r"\b(inbox|file|files|vocal)\b", "it is of the inbox"),
    (r"\b[Pp]ublish", r"\b(results?|files?|permissions|CODE)\b", "it is of results"),
    (r"(?<!signing )\b[Kk]eys?\b", r"^(?!.*\b([Ss]ign|trust))", "say signing key"),
)
"""Words of one meaning: the word, what else its sentence must hold (nothing is enough: ``$^``), and why."""

OUTSIDE = {
    *("demo/out", "corpus/", "vocals/", "../shared", "stems/", "rejected/", "build/bench/report"),
    *("build/bench", "build/cpumask", "dist/", "styles/", ".venv-runtime/bin"),
}
"""Paths that no checkout holds: results, builds, data from elsewhere; or named from another folder."""


@pytest.fixture(scope="module")
def page(root: Path) -> dict[str, str]:
    return pages(root)


@pytest.fixture(scope="module")
def options(page: dict[str, str]) -> str:
    return page["docs/options.md"]


def test_the_readme_is_one_screen_after_another_and_not_many(page: dict[str, str]) -> None:
    assert word_count(page["README.md"]) <= MOST_WORDS


def test_words_are_counted_as_a_reader_sees_them() -> None:
    text = "# One two\n\n![no](no.svg)<!-- no -->\n| [three](no.md) | `four --five` | - |\n```sh\nsix\n```\n"
    assert word_count(text) == 6


def test_links_lead_somewhere(page: dict[str, str], root: Path) -> None:
    broken = []
    for name, text in page.items():
        for link in links(text):
            path, _, anchor = link.partition("#")
            target = (root / name).parent / path if path else root / name
            if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
                broken.append(f"{name}: {link}")
    assert broken == []


def test_every_page_is_linked_from_the_first(page: dict[str, str]) -> None:
    first = {link.partition("#")[0] for link in links(page["README.md"])}
    assert {name for name in page if name.startswith(("docs/", "CONTRIBUTING", "systemd/"))} <= first


def test_paths_in_the_pages_exist(page: dict[str, str], root: Path) -> None:
    named_paths = {
        code
        for name, text in page.items()
        if name != "systemd/README.md"  # its paths are those of an installation
        for code in inline_code(text)
        if re.fullmatch(r"(\.\./)?[a-z_.-]+/[\w/.-]*", code)
    }
    assert len(named_paths) > 40
    assert sorted(path for path in named_paths - OUTSIDE if not (root / path).exists()) == []


def test_rooms_are_those_of_the_source(page: dict[str, str], root: Path) -> None:
    listing = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    files = [line.split("/") for line in listing.stdout.splitlines()]
    tops = {parts[0] for parts in files if len(parts) > 1 and parts[0][0] != "."}
    assert {top for top in tops if f"`{top}/`" not in page["CONTRIBUTING.md"]} == set()
    architecture = page["docs/architecture.md"]
    layers = set(named(re.findall(r"^\| \d+ \| (.*?) \|", architecture, re.MULTILINE)))
    watch = {cell for cell in named(first_cells(architecture)) if cell.startswith("appliance/watch/")}
    rooms = {
        "/".join(parts[:-1]) for parts in files if parts[0] == "appliance" and parts[-1] == "__init__.py"
    }
    here = {room for room in rooms if room.count("/") == 1}
    assert layers - {"appliance/errors.py", "appliance/grid.py"} == here
    assert watch == {room for room in rooms if re.fullmatch(r"appliance/watch/\w+", room)}
    drawn = set(re.findall(r">(\w+)</text>", (root / "docs" / "architecture.svg").read_text()))
    assert {Path(layer).stem for layer in layers} <= drawn


def test_the_glossary_has_every_term(page: dict[str, str]) -> None:
    assert set(TERMS) - anchors(page["docs/glossary.md"]) == set()


def other_meanings(text: str) -> list[str]:
    """Sentences of more than two words that use a word for something else."""
    return [
        f"{why}: {sentence}"
        for sentence in sentences(text)
        for word, company, why in ONE_MEANING
        if re.search(word, sentence) and not re.search(company, sentence) and len(sentence.split()) > 2
    ]


def test_one_word_has_one_meaning(page: dict[str, str]) -> None:
    odd = {name: found for name, text in page.items() if (found := other_meanings(text))}
    assert odd == {}


def test_another_meaning_is_noticed() -> None:
    text = "The plan is what is fastest. It is fine.\n\n| this key is trusted | the sampler plays | key |\n"
    assert [found.split(": ")[1] for found in other_meanings(text)] == [
        *("The plan is what is fastest.", "this key is trusted", "the sampler plays"),
    ]


def test_options_in_the_text_exist(page: dict[str, str]) -> None:
    known = options_of(cli) | {"--help", "--start", "--device"}  # the last two: train
    elsewhere = {"--check-reproducible", "--now", "--no-deps", "--yes", "--strict", "--minutes", "--rounds"}
    elsewhere |= {"--peer", "--peers-mask", "--health-cmd", "--tmpfs", "--user"}  # bench; podman, docker
    words = {word for text in page.values() for code in inline_code(text) for word in code.split()}
    said = {word for word in words if re.fullmatch(r"--[a-z][a-z-]+", word)}
    assert said - known - elsewhere == set()


def test_commands_in_the_text_exist(page: dict[str, str], options: str) -> None:
    known = {name for name, _ in commands_of(cli)}
    documented = named(first_cells(section(options, "## All commands")))
    assert sorted(documented) == sorted(known)
    for text in page.values():
        for code in inline_code(text):
            if re.fullmatch(r"backline [a-z][a-z-]*( [a-z][a-z-]*)*", code):
                assert any(
                    f"{name} ".startswith(f"{code} ") or f"{code} ".startswith(f"{name} ") for name in known
                ), code


def test_a_wrong_option_would_be_noticed() -> None:
    import click

    with pytest.raises(click.UsageError):
        parse(["render", "vocal.wav", "--loudly"])


def test_variables_are_read_somewhere(page: dict[str, str], root: Path) -> None:
    sources = "".join(
        path.read_text() for room in ("appliance", "bundle", "tests") for path in (root / room).rglob("*.py")
    )
    said = {name for text in page.values() for name in re.findall(r"\bBACKLINE_[A-Z_]+\b", text)}
    assert said >= {"BACKLINE_PACK", "BACKLINE_SIGNING_KEY"}
    assert {name for name in said if name not in sources} == set()
