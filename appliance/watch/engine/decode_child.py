"""The decoder process: opens an untrusted recording in a sandbox.

    python -I -m appliance.watch.engine.decode_child PARENT MEMORY_BYTES CPU_S SOUND_BYTES OUT LANDLOCK

Standard input is the open recording. The decoded sound goes to descriptor OUT as raw little-endian float32
samples, interleaved, at 44.1 kHz with the recording's channels; one line of JSON about it goes to standard
output. The process has no other descriptors, no environment and no privileges. Memory, CPU time and output
size are limited. It cannot start processes, run new code, or change any file by name; if the kernel has
Landlock, it cannot open other files either. LANDLOCK is 0 for file systems on which Landlock would also block
the recording. The process dies with its parent.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance.system import seccomp, syscalls

SOURCE = Path("/proc/self/fd/0")
"""Path of the recording in this process. The parent replaces it by the real name in errors."""

OPEN_FILES = 64

MAX_LOST = 50
"""Largest number of damaged parts that are reported."""


def main() -> None:
    """Limit this process, decode and write the answer; the exit status is 0 if there is an answer."""
    parent, memory_bytes, cpu_s, sound_bytes, out, landlock = map(int, sys.argv[1:7])
    syscalls.die_with_parent(parent)
    syscalls.preferred_by_oom_killer(1000)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # only the parent or the limits end it
    _limit(memory_bytes, cpu_s, os.lseek(out, 0, os.SEEK_CUR) + sound_bytes)
    answer = json.dumps(_answer(sound_bytes, out, landlock=bool(landlock)))
    os.write(1, answer.encode("ascii"))


def _limit(memory_bytes: int, cpu_s: int, file_bytes: int) -> None:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # its threads reserve memory, which counts towards the limit
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
    ):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))


def _confine(*, landlock: bool) -> None:
    """Give up the rights that only the start needed. Each measure works alone; old kernels lack some."""
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    syscalls.no_new_privileges()
    if landlock:
        syscalls.only_read(0)
    syscalls.no_new_code()
    seccomp.only_compute()  # last: the calls above are not among those it allows


def _answer(sound_bytes: int, out: int, *, landlock: bool) -> dict[str, Any]:
    """Decode the recording; returns its facts, or the reason for the failure."""
    try:
        from appliance.audio.defects import Defects
        from appliance.audio.recording import probe, read_blocks
        from appliance.errors import InputError
        from appliance.watch.disk.folders import write_all

        _create_callbacks()
        _confine(landlock=landlock)
        if landlock and not _can_open():
            return {"shut_out": True}
        try:
            info = probe(SOURCE)
        except InputError as error:
            return {"refused": str(error)}
        needed = info.output_samples * info.channels * 4
        if needed > sound_bytes:
            return {"needs_bytes": needed}
        try:
            for block in read_blocks(replace(info, defects=Defects())):  # whoever reads the copy finds them
                write_all(out, memoryview(block[:, : info.channels].astype("<f4").tobytes()))
        except InputError as error:
            return {"refused": str(error)}
        except OSError as error:
            return {"write_errno": error.errno}
        return {
            "container": info.container,
            "rate_hz": info.rate_hz,
            "channels": info.channels,
            "frames": info.frames,
            "sha256": info.sha256,
            "peak": info.peak,
            "opposed": info.opposed,
            "lost": info.lost[:MAX_LOST],
        }
    except MemoryError:
        return {"memory": True}


def _create_callbacks() -> None:
    """Decode a file in memory once, because the process cannot create the callbacks' code after _confine."""
    import io

    import soundfile

    silence = io.BytesIO()
    soundfile.write(silence, [0.0] * 100, 8_000, format="WAV")
    silence.seek(0)
    soundfile.read(silence)


def _can_open() -> bool:
    try:
        os.close(os.open(SOURCE, os.O_RDONLY))
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
