"""The number of system calls of an idle scan of many old files."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from appliance.watch.settings.config import Config

FOLDERS, FILES = 20, 50

LOOKS = """
import sys
from pathlib import Path
from appliance.watch.settings.config import Config
from appliance.watch.inbox.scan import scan
intake = Config().intake
for look in range(int(sys.argv[2])):
    seen = scan(Path(sys.argv[1]), intake)
    assert len(seen.found) == 1000 and seen.sentinel
"""


def calls(inbox: Path, looks: int, trace: Path) -> Counter[str]:
    """System calls, by name, of ``looks`` scans in a separate process."""
    command = ["strace", "-f", "-qq", "-o", str(trace), sys.executable, "-c", LOOKS, str(inbox), str(looks)]
    subprocess.run(command, check=True)
    names = (re.match(r"\d+ +(\w+)\(", line) for line in trace.read_text(errors="replace").splitlines())
    return Counter(match[1] for match in names if match)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace counts the calls")
def test_a_look_asks_once_for_each_file_and_opens_none(watched: Config, tmp_path: Path) -> None:
    for folder in range(FOLDERS):
        (watched.folders.inbox / str(folder)).mkdir()
        for file in range(FILES):
            (watched.folders.inbox / str(folder) / f"{file}.wav").touch()
    two, five = (calls(watched.folders.inbox, looks, tmp_path / "trace") for looks in (2, 5))
    a_look = {name: (five[name] - two[name]) / 3 for name in five}
    stats = sum(a_look.get(name, 0) for name in ("newfstatat", "fstat", "stat", "lstat", "statx"))
    opens = sum(a_look.get(name, 0) for name in ("open", "openat"))
    assert stats <= FOLDERS * FILES + 3 * (FOLDERS + 1) + 2  # one per file; and folder, listing, sentinel
    assert opens == FOLDERS + 1
    assert a_look.get("read", 0) == 0 and a_look.get("pread64", 0) == 0
    known = ("newfstatat", "fstat", "stat", "lstat", "statx", "open", "openat")
    others = {
        name: n for name, n in a_look.items() if name not in (*known, "brk", "mmap", "munmap", "mremap")
    }
    assert sum(others.values()) <= 8 * (FOLDERS + 1) + 10, others
