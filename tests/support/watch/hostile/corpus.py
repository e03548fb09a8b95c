"""Writes the corpus into an inbox: the same seed and count give the same files."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from support.watch.hostile.bombs import bombs
from support.watch.hostile.damage import cuts, flips, shuffles
from support.watch.hostile.headers import lies
from support.watch.hostile.kinds import strange_kinds
from support.watch.hostile.names import NAMES
from support.watch.hostile.recordings import recordings
from support.watch.hostile.sidecars import sidecars
from support.watch.hostile.strangers import strangers


@dataclass
class Laid:
    """The files in the inbox: relative paths of the plain files that the service must handle."""

    inbox: Path
    candidates: list[bytes] = field(default_factory=list)

    def put(self, path: bytes, data: bytes) -> None:
        """Write a plain file and its folders. Hidden files are no candidates, as the service ignores them."""
        whole = self.inbox / os.fsdecode(path)
        whole.parent.mkdir(parents=True, exist_ok=True)
        with whole.open("xb") as file:
            file.write(data)
        if not whole.name.startswith("."):
            self.candidates.append(path)

    def left(self) -> list[bytes]:
        """The candidates that are still in the inbox."""
        root = os.fsencode(self.inbox) + b"/"
        return [path for path in self.candidates if os.path.lexists(root + path)]


def lay(inbox: Path, outside: Path, seed: int, count: int, bomb_hours: float = 1.0) -> Laid:
    """Write ``count`` candidates, and links, pipes, folders and settings beside them."""
    choice, laid = random.Random(seed), Laid(inbox)
    good = recordings(seed)["pcm_16.wav"]
    laid.candidates += strange_kinds(inbox, outside, good)
    for folder, files in sidecars().items():
        laid.put(folder.encode() + b"/vocal.wav", good)
        for name, text in files.items():
            (inbox / folder / name).write_bytes(text)
    (inbox / "sidecar chart is a link" / "link.txt").symlink_to(outside / "secret.txt")
    each = max(1, (count - len(laid.candidates)) // 8)
    fixed = [*lies(), *bombs(bomb_hours)]
    choice.shuffle(fixed)
    names = [(os.fsdecode(name), _some(choice, seed)[1]) for name in NAMES]
    names = [pair for pair in names if "\n" in pair[0] or choice.random() < min(1.0, count / 600)]
    whole = list(recordings(seed).items())
    choice.shuffle(whole)
    parts = {
        "names": names,
        "lies": fixed[: each * 2],
        "whole": whole[:each],
        "strangers": list(strangers(choice, min(each, 300))),
    }
    for part, files in parts.items():
        for name, data in files:
            laid.put(part.encode() + b"/" + os.fsencode(name), data)
    broken = _broken(choice, seed)
    while len(laid.candidates) < count:
        name, data = next(broken)
        laid.put(b"broken/%d/" % (len(laid.candidates) // 500) + name, data)
    return laid


def _some(choice: random.Random, seed: int) -> tuple[str, bytes]:
    return choice.choice(sorted(recordings(seed).items()))


def _broken(choice: random.Random, seed: int) -> Iterator[tuple[bytes, bytes]]:
    number = 0
    while True:
        name, data = _some(choice, seed)
        for how, changed in chain(cuts(data, choice, 4), flips(data, choice, 4), shuffles(data, choice, 2)):
            number += 1
            yield f"{number} {how} {name}".encode(), changed


def give_away(root: Path, user: int, keep: tuple[str, ...] = ("closed.wav", "closed folder")) -> None:
    """Make ``user`` the owner of all files except those in ``keep``."""
    for place, folders, files in os.walk(root):
        for name in [*folders, *files]:
            if name not in keep:
                os.chown(Path(place) / name, user, user, follow_symlinks=False)
    os.chown(root, user, user)
