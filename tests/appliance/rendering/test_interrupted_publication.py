"""Publication when the process is interrupted or killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.small_render import render, tree, whole

TESTS = Path(__file__).parents[2]

SLOW_RENDER = """
import os, signal, sys, time
from pathlib import Path
from appliance.rendering.publication import Publication
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.default_int_handler)
try:
    with Publication(Path(sys.argv[1]), "take") as publication:
        publication.path("mix.wav").write_text("half")
        publication.path("mid").write_text("half")
        print("ready", flush=True)
        time.sleep(60)
except KeyboardInterrupt:
    sys.exit(130)
"""


@contextmanager
def slow_render(out: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", SLOW_RENDER, out], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_process_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with slow_render(tmp_path / "out") as process:
        assert tree(tmp_path)
        process.send_signal(number)
        assert process.wait(timeout=30) == 130
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_leaves_is_hidden_and_cleared_by_the_next(tmp_path: Path) -> None:
    with slow_render(tmp_path) as process:
        assert render(tmp_path) == "take-2"  # the name is claimed while its owner lives
        process.kill()
        process.wait()
        left = [p for p in tree(tmp_path) if p not in whole("take-2")]
        assert left and all(p.startswith(".take.part/") for p in left)
    assert render(tmp_path, text="later") == "take"
    assert tree(tmp_path) == sorted([*whole("take"), *whole("take-2")])


INTERRUPTS_ITSELF = """
import os, signal, sys
from pathlib import Path
from support.small_render import render

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
rename = Path.rename

def interrupted(self, target):
    os.kill(os.getpid(), signal.SIGINT)
    return rename(self, target)

Path.rename = interrupted
try:
    render(Path(sys.argv[1]))
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_ctrl_c_while_publishing_waits_until_all_is_there(tmp_path: Path) -> None:
    # In a separate process: libraries that other tests load leave signal stacks behind.
    command = [sys.executable, "-c", INTERRUPTS_ITSELF, str(tmp_path)]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)
    assert done.returncode == 130, done.stderr
    assert tree(tmp_path) == whole("take")
