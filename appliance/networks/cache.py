"""Compiled graphs kept on disk, so that a start costs a quarter of the compiling.

What a graph compiles to depends on the pack, the library, the processor and the settings: all of them
name the file, so nothing is ever out of date, only unused. A file that is not whole, or a folder that
others may write to, is as good as none; nothing here can fail a render.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from appliance.files.own_files import make_room, own_folder, write_whole
from appliance.packs.pack import Pack
from appliance.system.cpu import read_cpu
from appliance.system.cpu_features import kernel_facts

MOST_FILES = 40
"""Eight packs of five graphs, or fewer of more kinds; some 200 MB. The longest unused go first."""

_DIGEST_BYTES = 32
_ENDING = ".graph"


def cache_folder() -> Path | None:
    """Where this user's or service's caches lie; None where nobody says."""
    return own_folder("CACHE_DIRECTORY", "XDG_CACHE_HOME", ".cache", "graphs")


class GraphCache:
    """The compiled graphs of ``pack`` in ``folder``, for one way of compiling them."""

    def __init__(self, folder: Path, pack: Pack, config: Mapping[str, str]) -> None:
        self._folder = folder
        self._for = [pack.sha256, *_library_and_processor(), json.dumps(dict(config), sort_keys=True)]

    def read(self, name: str, shape: tuple[int, int]) -> bytes | None:
        """The stored graph ``name``, compiled for ``shape``; None where there is none that can be trusted."""
        path = self._path(name, shape)
        try:
            if not self._is_ours():
                return None
            stored = path.read_bytes()
            if hashlib.sha256(stored[_DIGEST_BYTES:]).digest() != stored[:_DIGEST_BYTES]:
                return None
            os.utime(path)
        except OSError:
            return None
        return stored[_DIGEST_BYTES:]

    def write(self, name: str, shape: tuple[int, int], graph: bytes) -> None:
        """Keeps ``graph`` if that is possible; the file appears whole or not at all."""
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._is_ours():
                return
            digest = hashlib.sha256(graph).digest()
            write_whole(self._path(name, shape), (digest, graph))
            make_room(self._folder, f"*{_ENDING}", MOST_FILES)

    def _path(self, name: str, shape: tuple[int, int]) -> Path:
        key = hashlib.sha256(json.dumps([*self._for, name, shape]).encode()).hexdigest()
        return self._folder / f"{name}-{key[:32]}{_ENDING}"

    def _is_ours(self) -> bool:
        """Whether nobody but this user can have put files there."""
        found = self._folder.lstat()
        others = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not others


def _library_and_processor() -> list[Any]:
    """All that decides which kernels are chosen, as the libraries see it."""
    import openvino

    cpu = read_cpu()
    return [openvino.get_version(), cpu.model, *kernel_facts(cpu)]
