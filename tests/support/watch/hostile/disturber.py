"""A process that keeps changing files of an inbox: writes, truncates, renames, replaces them by links.

python disturber.py INBOX OUTSIDE SEED
"""

from __future__ import annotations

import os
import random
import sys
import time
from contextlib import suppress
from pathlib import Path


def main() -> None:
    """Run until killed. The names of its files begin with ``restless``."""
    inbox, outside, choice = Path(sys.argv[1]), Path(sys.argv[2]), random.Random(int(sys.argv[3]))
    folder = inbox / "restless"
    folder.mkdir(exist_ok=True)
    while True:
        file = folder / f"restless {choice.randrange(6)}.wav"
        with suppress(OSError):
            _disturb(file, outside, choice)
        time.sleep(choice.choice((0.01, 0.1, 0.8)))


def _disturb(file: Path, outside: Path, choice: random.Random) -> None:
    action = choice.randrange(7)
    if action == 0:
        _write(file, os.O_TRUNC, choice.randbytes(20_000))
    elif action == 1:
        _write(file, os.O_APPEND, choice.randbytes(500))
    elif action == 2:
        _write(file, os.O_TRUNC, b"")
    elif action in (3, 4):
        link = file.with_suffix(".part")
        link.unlink(missing_ok=True)
        link.symlink_to(outside / "secret.wav")
        link.rename(file)  # often between the service's scan and its opening of the file
    elif action == 5:
        file.rename(file.with_name(f"restless {choice.randrange(6)}.wav"))
    else:
        file.unlink()


def _write(file: Path, how: int, data: bytes) -> None:
    """Write without following links, so that only the service could change files outside."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | how, 0o644)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    main()
