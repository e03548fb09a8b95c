"""The system call filter of the decoding process: what it denies and what it must allow."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import ctypes, json, mmap, os, resource, socket, sys
from appliance.system import seccomp, syscalls

folder, parent = sys.argv[1], int(sys.argv[2])
output = os.open(f"{folder}/output", os.O_WRONLY | os.O_CREAT)
libc = ctypes.CDLL(None, use_errno=True)
syscalls.no_new_privileges()
assert seccomp.only_compute()

def tried(what, *words):
    try:
        what(*words)
    except OSError as error:
        return type(error).__name__
    return "done"

def own_limit():
    resource.getrlimit(resource.RLIMIT_NOFILE)

print(json.dumps({
    "write to a new file": tried(os.open, f"{folder}/new", os.O_WRONLY | os.O_CREAT),
    "append": tried(os.open, f"{folder}/input", os.O_RDWR),
    "truncate": tried(os.truncate, f"{folder}/input", 0),
    "remove": tried(os.unlink, f"{folder}/input"),
    "rename": tried(os.rename, f"{folder}/input", f"{folder}/other"),
    "change mode": tried(os.chmod, f"{folder}/input", 0o777),
    "make a folder": tried(os.mkdir, f"{folder}/folder"),
    "make a link": tried(os.symlink, "x", f"{folder}/link"),
    "run a program": tried(os.execv, "/bin/true", ["/bin/true"]),
    "fork": tried(os.fork),
    "connect": tried(socket.socket, socket.AF_UNIX),
    "kill its parent": tried(os.kill, parent, 0),
    "new code": tried(mmap.mmap, -1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 4 | 1),
    "list a folder": tried(os.listdir, folder),
    "read a file": tried(lambda: open(f"{folder}/input", "rb").read()),
    "write to the output": tried(os.write, output, b"sound"),
    "memory": tried(mmap.mmap, -1, 1 << 24),
    "own limits": tried(own_limit),
}))
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the filter knows the calls of x86-64 only")
def test_it_leaves_reading_and_computing_alone(tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(b"kept")
    words = [sys.executable, "-c", SCRIPT, str(tmp_path), str(1)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    allowed = {"read a file", "write to the output", "memory", "own limits"}
    assert {what for what, how in found.items() if how == "done"} == allowed, found
    assert {how for what, how in found.items() if what not in allowed} == {"PermissionError"}, found
    assert (tmp_path / "input").read_bytes() == b"kept"
    assert (tmp_path / "output").read_bytes() == b"sound"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["input", "output"]
