"""CI's list of skipped tests: recorded by a plugin, compared with the committed list."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.skips.review import Expected, main, read_list, read_record, review

MODULE = """
import pytest

def test_runs(): pass

@pytest.mark.xfail
def test_fails_as_expected(): assert False

@pytest.mark.parametrize("part", [1, 2])
def test_looks(part):
    if part == 2: pytest.skip("no part\\nof this kind")

@pytest.fixture
def disk(): pytest.skip("no disk")

def test_needs(disk): pass

@pytest.mark.skipif("'DISK' not in __import__('os').environ", reason="asked for with DISK")
def test_asked_for(): pass
"""


def run(folder: Path, root: Path, **environment: str) -> None:
    """pytest with the plugin, in a folder of its own."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "support.skips.recorder",
        "--record-skips=out/record",
    ]
    path = {"PYTHONPATH": str(root / "tests"), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(
        command, cwd=folder, env={**os.environ, **path, **environment}, check=True, capture_output=True
    )


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "test_some.py").write_text(MODULE)
    (tmp_path / "test_whole.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def test_the_plugin_records_what_was_skipped_and_why(suite: Path, root: Path) -> None:
    run(suite, root)
    record = read_record(suite / "out" / "record")
    whole = record.pop("test_whole.py")
    assert whole is not None and "no_such_module" in whole
    assert record == {
        "test_some.py::test_runs": None,
        "test_some.py::test_fails_as_expected": None,
        "test_some.py::test_looks[1]": None,
        "test_some.py::test_looks[2]": "no part of this kind",
        "test_some.py::test_needs": "no disk",
        "test_some.py::test_asked_for": "asked for with DISK",
    }


def test_a_test_that_ran_in_one_of_two_runs_is_not_skipped(suite: Path, root: Path) -> None:
    run(suite, root, DISK="1")
    run(suite, root)
    assert read_record(suite / "out" / "record")["test_some.py::test_asked_for"] is None


RECORD = {"a.py::t[1]": "no disk at /x", "a.py::t[2]": None, "b.py::t": None, "c.py": "no torch"}


@pytest.mark.parametrize("test", ["a.py", "a.py::t", "a.py::t[1]"])
def test_a_line_names_a_test_or_all_of_a_file(test: str) -> None:
    found = review(RECORD, [Expected(test, "no disk"), Expected("c.py", "no torch")])
    assert found.good and not found.did_not_happen
    assert found.skipped == {"a.py::t[1]": "no disk at /x", "c.py": "no torch"}


@pytest.mark.parametrize(
    "line", [Expected("a.py", "no root"), Expected("a.p", "no disk"), Expected("b.py", "no disk")]
)
def test_a_skip_without_its_line_fails(line: Expected) -> None:
    found = review(RECORD, [line, Expected("c.py", "")])
    assert found.unexpected == ["a.py::t[1]"] and not found.good
    assert "FAILED: not on the list; make the test run" in found.report()


def test_a_line_that_is_no_longer_needed_is_reported() -> None:
    lines = [Expected("a.py", "no disk"), Expected("b.py", "no disk"), Expected("c.py", "no torch")]
    found = review(RECORD, lines)
    assert found.good and found.did_not_happen == [lines[1]]
    assert "Not skipped in this run, though on the list:\n  b.py: no disk" in found.report()


def test_a_line_for_a_test_that_does_not_exist_fails() -> None:
    gone = Expected("gone.py", "no disk")
    found = review(RECORD, [Expected("a.py", "no disk"), Expected("c.py", "no torch"), gone])
    assert found.impossible == [gone] and not found.good


def test_the_command_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record, listed = tmp_path / "record", tmp_path / "skips.txt"
    record.write_text('{"test": "a.py::t", "skipped": "no disk"}\n')
    listed.write_text("# Why\na.py: no disk\n")
    assert main([str(record), str(listed)]) == 0
    assert capsys.readouterr().out == "1 skipped:\n  a.py::t: no disk\n"
    listed.write_text("")
    assert main([str(record), str(listed)]) == 1


@pytest.mark.parametrize(("text", "wrong"), [("a.py\n", "TEST: REASON"), ("b: c\na: c\n", "not sorted")])
def test_a_list_out_of_shape_is_refused(tmp_path: Path, text: str, wrong: str) -> None:
    (tmp_path / "skips.txt").write_text(text)
    with pytest.raises(ValueError, match=wrong):
        read_list(tmp_path / "skips.txt")
