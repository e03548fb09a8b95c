"""The receipt's word for the library that computes exponentials and sines."""

from __future__ import annotations

import subprocess
from pathlib import Path

from appliance.system.mathematics import math_library

LINE = "7f00-7f01 r-xp 00000000 fe:00 12345     {}\n"


def test_this_process_uses_the_library_of_its_c_library() -> None:
    said = subprocess.run(["ldd", "--version"], capture_output=True, text=True, check=True).stdout
    assert math_library() == f"glibc {said.splitlines()[0].split()[-1]}"


def test_a_library_in_the_interpreters_own_folder_is_bundled(tmp_path: Path) -> None:
    python = tmp_path / "my releases" / "python"
    python.mkdir(parents=True)
    link = tmp_path / "current"
    link.symlink_to(python)
    maps = tmp_path / "maps"
    maps.write_text(LINE.format("/usr/lib/libc.so.6") + LINE.format(python / "lib" / "libm.so.6"))
    assert math_library(maps, link) == "bundled"


def test_a_library_elsewhere_is_not(tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.write_text(LINE.format("/usr/lib/libm.so.6"))
    assert math_library(maps, tmp_path) == math_library()


def test_without_proc_the_c_library_is_named(tmp_path: Path) -> None:
    assert math_library(tmp_path / "nothing", tmp_path) == math_library()
