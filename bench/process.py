"""Runs a command under a mask on some of the cores, and measures its time, memory and disk reads."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.mask import Mask, search_missing

ROOT = Path(__file__).resolve().parent.parent


class Failed(RuntimeError):
    """A measured command ended with an error; the text holds the end of its stderr."""


@dataclass(frozen=True, slots=True)
class Finished:
    """One run: wall and CPU seconds, peak resident memory, bytes read from disk, and its stdout."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    disk_bytes: int
    output: str


def run(
    chosen: Mask,
    command: Sequence[str | Path],
    cores: int = 0,
    environment: Mapping[str, str] | None = None,
) -> Finished:
    """Run ``command`` on the first ``cores`` cores (0: all), with ``environment`` added.

    Like :meth:`Mask.run` it runs the command again if libraries had to be searched for CPUID first, so the
    figures are always those of a complete mask.

    Raises:
        Failed: the command ended with an error.
    """
    while True:
        finished, errors, code = _once(chosen, command, cores, environment or {})
        if not search_missing(errors):
            break
    if code:
        raise Failed(f"{' '.join(map(str, command))} ended with {code} as {chosen}:\n{errors[-2000:]}")
    return finished


def _once(
    chosen: Mask, command: Sequence[str | Path], cores: int, more: Mapping[str, str]
) -> tuple[Finished, str, int]:
    allowed = set(sorted(os.sched_getaffinity(0))[: cores or None])
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more, **chosen.environment}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        child = subprocess.Popen(
            [str(part) for part in command],
            env=environment,
            cwd=ROOT,
            stdout=out,
            stderr=err,
            preexec_fn=lambda: os.sched_setaffinity(0, allowed),
        )
        _, status, used = os.wait4(child.pid, 0)
        wall_s = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
    finished = Finished(
        wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, used.ru_inblock * 512, texts[0]
    )
    return finished, texts[1], child.returncode


def forget_cached(folders: Iterable[Path]) -> None:
    """Ask the kernel to drop files from its cache, so that the next start reads them from disk.

    Linux keeps files that another process has mapped; ``Finished.disk_bytes`` shows what was really read.
    """
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                file = os.open(path, os.O_RDONLY)
                try:
                    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
                finally:
                    os.close(file)


def libraries() -> list[Path]:
    """Folders of the packages that the appliance loads, in this Python's site-packages."""
    site = next(Path(p) for p in sys.path if p.endswith("site-packages"))
    names = ("numpy", "numpy.libs", "openvino", "tinysoundfont", "soxr", "pydantic", "pydantic_core")
    return [site / name for name in names if (site / name).is_dir()]
