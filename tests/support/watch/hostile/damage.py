"""Damaged recordings: truncated, with flipped bits, with lost or repeated parts."""

from __future__ import annotations

import random
from collections.abc import Iterator

from support.watch.hostile.boundaries import boundaries, header_bytes


def cuts(data: bytes, choice: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """Truncated recordings: at boundaries first, then in the header, then anywhere."""
    at = boundaries(data)
    choice.shuffle(at)
    wanted = at[: count // 2] + [choice.randrange(header_bytes(data)) for _ in range(count // 4)]
    while len(wanted) < count:
        wanted.append(choice.randrange(len(data)))
    for offset in wanted:
        yield f"cut at {offset}", data[:offset]


def flips(data: bytes, choice: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """Recordings with one to twelve flipped bits, three quarters of them in the header."""
    for number in range(count):
        changed = bytearray(data)
        reach = header_bytes(data) if choice.random() < 0.75 else len(data)
        for _ in range(choice.choice((1, 1, 2, 4, 12))):
            changed[choice.randrange(reach)] ^= 1 << choice.randrange(8)
        yield f"flipped {number}", bytes(changed)


def shuffles(data: bytes, choice: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """Recordings with a part that is lost, repeated, or set to zeros or ones."""
    for number in range(count):
        start = choice.randrange(len(data))
        piece = data[start : start + choice.choice((1, 4, 64, 4096))]
        other = choice.choice((b"", piece * 2, bytes(len(piece)), b"\xff" * len(piece)))
        yield f"shuffled {number}", data[:start] + other + data[start + len(piece) :]
