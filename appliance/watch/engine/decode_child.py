"""The process that opens a stranger's recording: it can do little, and what it does harms nobody.

    python -I -m appliance.watch.engine.decode_child PARENT MEMORY_BYTES CPU_S SOUND_BYTES OUT ALONE

Standard input is the recording, an open file. Its sound goes to descriptor OUT as raw little-endian float
samples, frame by frame, at 44.1 kHz with the recording's own channels, and one line of JSON about it to
standard output. The process has no other descriptors, no environment and no rights it could gain; memory,
processor time and the size of what it writes are limited; it can start no process and, where the kernel
allows, open no file and run no code that was not there when it began. ALONE is 0 where the recording lies
on a file system on which the recording itself would be shut out. It dies with its parent.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from appliance.system import syscalls

SOURCE = Path("/proc/self/fd/0")
"""What the recording is called here; whoever shows a sentence about it puts in the real name."""

OPEN_FILES = 64

MOST_LOST = 50
"""Damaged parts that are told; a recording with more is heard to be damaged."""


def main() -> None:
    """Limits this process, decodes, answers; the exit status is 0 whenever there is an answer."""
    parent, memory_bytes, cpu_s, sound_bytes, out, alone = map(int, sys.argv[1:7])
    syscalls.die_with_parent(parent)
    syscalls.preferred_by_oom_killer(1000)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends when it is done, or by its limits
    _limit(memory_bytes, cpu_s, os.lseek(out, 0, os.SEEK_CUR) + sound_bytes)
    answer = json.dumps(_answer(sound_bytes, out, alone=bool(alone)))
    os.write(1, answer.encode("ascii"))


def _limit(memory_bytes: int, cpu_s: int, file_bytes: int) -> None:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # its threads reserve memory that the limit would count
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


def _enclose(*, alone: bool) -> None:
    """Gives up what only the start needed. Each wall stands for itself; old kernels lack some."""
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    syscalls.no_new_privileges()
    if alone:
        syscalls.only_read(0)
    syscalls.no_new_code()


def _answer(sound_bytes: int, out: int, *, alone: bool) -> dict[str, Any]:
    """What became of the recording: its facts, or why there are none."""
    try:
        from appliance.audio.recording import probe, read_blocks
        from appliance.errors import InputError
        from appliance.watch.disk.folders import write_all

        _ready_for_callbacks()
        _enclose(alone=alone)
        if alone and not _can_open():
            return {"shut_out": True}
        try:
            info = probe(SOURCE)
        except InputError as error:
            return {"refused": str(error)}
        needed = info.output_samples * info.channels * 4
        if needed > sound_bytes:
            return {"needs_bytes": needed}
        try:
            for block in read_blocks(info):
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
            "lost": info.lost[:MOST_LOST],
        }
    except MemoryError:
        return {"memory": True}


def _ready_for_callbacks() -> None:
    """Decode a file in memory once: the trampolines of its callbacks cannot be made once the walls are up."""
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
