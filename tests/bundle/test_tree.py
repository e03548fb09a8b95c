"""The steps that build a release tree: ELF files, launcher, man page, licences, bill of materials."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import time
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import click
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.spdx import is_expression
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from support.bundle_stand_in import TIME_S, need

from appliance.cli.main import cli as command_line
from bundle.compiled.python import left_out
from bundle.compiled.sources import read_lock
from bundle.contents.libraries import COPYRIGHT, LIBRARIES
from bundle.contents.man_page import man_page, write_man_page
from bundle.contents.packages import build_wheel
from bundle.errors import BundleError
from bundle.papers import known_licences
from bundle.papers.licences import collect_licences
from bundle.papers.parts import Part, library_parts
from bundle.papers.sbom import bill_of_materials, write_bill
from bundle.tools.elf import elf_files, read_elf

LIBRARY = Path(distribution("soundfile").locate_file("_soundfile_data")) / "libsndfile_x86_64.so"


def test_c_library_that_a_file_requires() -> None:
    """The newest version in objdump's list of symbols."""
    need("objdump")
    symbols = subprocess.run(["objdump", "-T", LIBRARY], check=True, capture_output=True, text=True).stdout
    wanted = {
        tuple(map(int, number.split(".")[:2]))
        for number in re.findall(r"\*UND\*.*\(?GLIBC_([\d.]+)\)?", symbols)
    }
    assert read_elf(LIBRARY).glibc == max(wanted)
    assert "libc.so.6" in read_elf(LIBRARY).needs


def test_search_path_and_libraries(tmp_path: Path) -> None:
    """What patchelf writes is what is read."""
    need("patchelf")
    for kind in ((), ("--force-rpath",)):
        copy = Path(shutil.copy(LIBRARY, tmp_path / "lib.so"))
        for change in (("--set-rpath", "$ORIGIN/a:/b"), ("--add-needed", "libz.so.1")):
            subprocess.run(["patchelf", *kind, *change, copy], check=True)
        elf = read_elf(copy)
        assert (elf.search, elf.alone) == (("$ORIGIN/a", "/b"), not kind)
        assert set(elf.needs) == {*read_elf(LIBRARY).needs, "libz.so.1"}
        assert elf.glibc == read_elf(LIBRARY).glibc


def test_a_file_cut_off_is_named(tmp_path: Path) -> None:
    short = tmp_path / "short.so"
    short.write_bytes(LIBRARY.read_bytes()[:40])
    with pytest.raises(BundleError, match=r"short\.so is a damaged ELF file"):
        read_elf(short)


def test_internal_interfaces_of_the_c_library_are_refused() -> None:
    """The C library's own mathematics library uses them."""
    libm = Path("/lib/x86_64-linux-gnu/libm.so.6")
    if not libm.exists():
        pytest.skip(f"no {libm} here")
    with pytest.raises(BundleError, match="GLIBC_PRIVATE, an internal interface"):
        read_elf(libm)


def test_only_elf_files_are_read(tmp_path: Path) -> None:
    shutil.copy(LIBRARY, tmp_path / "a.so")
    (tmp_path / "b.so").write_text("INPUT(-lc)")
    (tmp_path / "empty").touch()
    assert [file.name for file in elf_files(tmp_path)] == ["a.so"]


def test_modules_left_out() -> None:
    names = ["os.py", "tkinter", "test", "ensurepip", "json", "turtle.py", "run.exe", "__pycache__"]
    assert set(names) - left_out("/x/Lib", names) == {"os.py", "json"}
    assert left_out("/x/Lib/unittest", ["test_case.py", "turtle.py"]) == set()


@pytest.fixture
def tree(root: Path, tmp_path: Path) -> Path:
    """An installed release whose interpreter only prints its variables and arguments."""
    release = tmp_path / "a place" / "opt" / "releases" / "1.2"
    for folder in ("bin", "python/bin", "packs/reference", "keys"):
        (release / folder).mkdir(parents=True)
    shutil.copy(root / "bundle" / "launcher.sh", release / "bin" / "backline")
    (release / "bin" / "backline").chmod(0o755)
    python = release / "python" / "bin" / "python3"
    python.write_text('#!/bin/sh\necho "$BACKLINE_KEYS"; echo "$BACKLINE_PACK"; printf "%s\\n" "$@"\n')
    python.chmod(0o755)
    return release


def launched(program: Path, *arguments: str, **variables: str) -> list[str]:
    environment = {"PATH": os.environ["PATH"], **variables}
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_launcher_installed(tree: Path, tmp_path: Path) -> None:
    """Started through two links, as /usr/local/bin/backline is; arguments with spaces stay whole."""
    prefix = tree.parent.parent
    (prefix / "keys").mkdir()
    (prefix / "packs").mkdir()
    (prefix / "packs" / "active").symlink_to(tree / "packs" / "reference")
    (prefix / "current").symlink_to("releases/1.2")
    (tmp_path / "backline").symlink_to(prefix / "current" / "bin" / "backline")
    said = launched(tmp_path / "backline", "render", "a b")
    assert said == [
        f"{prefix}/keys",
        f"{prefix}/packs/active",
        *("-I", "-B", "-m", "appliance", "render", "a b"),
    ]


def test_launcher_of_an_unpacked_tree(tree: Path, tmp_path: Path) -> None:
    moved = tree.rename(tmp_path / "unpacked")
    assert launched(moved / "bin" / "backline")[:2] == [f"{moved}/keys", f"{moved}/packs/reference"]


def test_launcher_keeps_variables_that_are_set(tree: Path) -> None:
    said = launched(tree / "bin" / "backline", BACKLINE_KEYS="", BACKLINE_PACK="/mine")
    assert said[:2] == ["", "/mine"]


def test_man_page_lists_every_command_and_option(tmp_path: Path) -> None:
    page = man_page(command_line, "1.2.3", TIME_S)
    plain = page.replace("\\-", "-")

    def visible(group: click.Group, path: str) -> None:
        for name, command in group.commands.items():
            if command.hidden:
                continue
            if isinstance(command, click.Group):
                visible(command, f"{path} {name}")
                continue
            assert f".SS {path} {name}" in plain
            for parameter in command.params:
                if isinstance(parameter, click.Option) and not parameter.hidden:
                    assert parameter.opts[0] in plain

    visible(command_line, "backline")
    assert '.TH BACKLINE 1 "2023-11-14" "Backline 1.2.3"' in page
    write_man_page(tmp_path / "m" / "backline.1.gz", page)
    assert gzip.decompress((tmp_path / "m" / "backline.1.gz").read_bytes()).decode() == page
    if shutil.which("man"):
        checked = subprocess.run(
            ["man", "--warnings", "-l", tmp_path / "m" / "backline.1.gz"],
            env={**os.environ, "MANPAGER": "cat", "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
        )
        assert checked.stderr == ""


def test_an_unknown_licence() -> None:
    assert known_licences.of_distribution("click", distribution("click").metadata) == "BSD-3-Clause"
    assert known_licences.of_distribution("mido", distribution("mido").metadata) == "MIT"
    assert known_licences.of_distribution("unheard-of", distribution("mido").metadata) is None


def test_every_text_of_a_licence(tmp_path: Path) -> None:
    texts = []
    for name in ("a/LICENSE.md", "b/LICENSE.md"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(name)
        texts.append(tmp_path / name)
    collect_licences([part("x", tuple(texts))], tmp_path / "out")
    found = {file.name: file.read_text() for file in (tmp_path / "out" / "x-1").iterdir()}
    assert found == {"LICENSE.md": "a/LICENSE.md", "LICENSE-2.md": "b/LICENSE.md"}


def part(name: str, texts: tuple[Path, ...] = ()) -> Part:
    return Part("library", name, "1", "MIT", texts, "0" * 64, PackageURL("pypi", None, name, "1"))


def written(file: Path, whole: Part, *parts: Part) -> str:
    """The bill of materials in ``file``."""
    write_bill(file, bill_of_materials(whole, list(parts), TIME_S))
    return file.read_text()


def test_bill_of_materials(tmp_path: Path) -> None:
    bill = json.loads(written(tmp_path / "share" / "bill.json", part("whole"), part("a"), part("b")))
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.5", 1)
    assert bill["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert bill["metadata"]["component"]["purl"] == "pkg:pypi/whole@1"
    references = [component["bom-ref"] for component in bill["components"]]
    assert references == ["pkg:pypi/a@1", "pkg:pypi/b@1"]
    assert {"ref": "pkg:pypi/whole@1", "dependsOn": references} in bill["dependencies"]
    assert bill["components"][0] == {
        "bom-ref": "pkg:pypi/a@1",
        "hashes": [{"alg": "SHA-256", "content": "0" * 64}],
        "licenses": [{"expression": "MIT"}],
        "name": "a",
        "properties": [{"name": "backline:licence_texts", "value": "share/licences/a-1"}],
        "purl": "pkg:pypi/a@1",
        "type": "library",
        "version": "1",
    }


def test_bill_of_materials_keeps_to_the_schema(tmp_path: Path) -> None:
    model = Part("machine-learning-model", "m", "2", "CC0-1.0", (), "1" * 64, properties={"backline:x": "y"})
    text = written(tmp_path / "bill.json", part("whole"), part("a"), model)
    schema = JsonStrictValidator(SchemaVersion.V1_5)
    assert schema.validate_str(text) is None
    assert schema.validate_str(text.replace('"library"', '"shelf"')) is not None


def test_the_same_content_is_the_same_bill(tmp_path: Path) -> None:
    whole, parts = part("whole"), [part(name) for name in "bca"]
    first = written(tmp_path / "first.json", whole, *parts)
    assert first == written(tmp_path / "again.json", whole, *parts)
    number = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    fewer = written(tmp_path / "fewer.json", whole, *parts[1:])
    assert number.search(first)[0] != number.search(fewer)[0]  # type: ignore[index]


def test_known_licences_are_spdx_expressions() -> None:
    named = {*known_licences.PYTHON_PACKAGES.values(), known_licences.SOUNDFONT, known_licences.GCC}
    named |= {source.licence for source in read_lock().sources.values()}
    assert {name for name in named if not is_expression(name)} == {"LicenseRef-public-domain"}


def test_the_libraries_of_gcc_are_what_debian_published() -> None:
    """Name, version and files as dpkg reads them in the packages; the licence text is about them."""
    need("dpkg-deb")
    for library, part in zip(LIBRARIES, library_parts(), strict=True):
        told = subprocess.run(
            ["dpkg-deb", "--showformat=${Package} ${Version} ${Architecture}", "--show", library.file],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        assert told == f"{library.package} {library.version} amd64"
        assert (part.name, part.version) == (library.package, library.version)
        assert hashlib.sha256(library.file.read_bytes()).hexdigest() == library.sha256
        listed = subprocess.run(["dpkg-deb", "--contents", library.file], check=True, capture_output=True)
        assert f"./{library.path}".encode() in listed.stdout
    assert "GCC Runtime Library Exception" in COPYRIGHT.read_text()


@pytest.mark.slow
def test_the_same_sources_are_the_same_wheel(root: Path, tmp_path: Path) -> None:
    """Files in the wheel are not dated by the copies that it is built from."""
    wheels = []
    for name in ("one", "other"):
        wheels.append(build_wheel(root, "7.0", tmp_path / name, 1_700_000_000))
        time.sleep(2.0)  # the resolution of dates in a zip archive
    assert wheels[0].read_bytes() == wheels[1].read_bytes()
    with zipfile.ZipFile(wheels[0]) as wheel:
        assert "Version: 7.0" in wheel.read("backline-7.0.dist-info/METADATA").decode()
