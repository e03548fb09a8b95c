"""A disk cache of compiled graphs: loading one takes a quarter of the time of compiling it.

A compiled graph depends on the pack, the OpenVINO version, the CPU and the graph setting. The file name is a
hash of all four, so a file is never out of date. Incomplete files, and folders that other users may write to,
are ignored. No error of the cache fails a render.
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

from appliance.files.own_files import keep_newest, own_folder
from appliance.files.whole import whole_file
from appliance.packs.pack import Pack
from appliance.system.cpu import read_cpu
from appliance.system.cpu_features import kernel_facts

MOST_FILES = 40
"""Most files in the cache, about 200 MB: eight packs of five graphs. The least recently used go first."""

_DIGEST_BYTES = 32
_ENDING = ".graph"


def cache_folder() -> Path | None:
    """The cache folder of this service or user; None if the environment names none."""
    return own_folder("CACHE_DIRECTORY", "XDG_CACHE_HOME", ".cache", "graphs")


class GraphCache:
    """The compiled graphs of ``pack`` in ``folder``, for one ``config`` of OpenVINO properties."""

    def __init__(self, folder: Path, pack: Pack, config: Mapping[str, str]) -> None:
        self._folder = folder
        self._for = [pack.sha256, *_library_and_cpu(), json.dumps(dict(config), sort_keys=True)]

    def read(self, name: str, shape: tuple[int, int]) -> bytes | None:
        """Read graph ``name`` compiled for ``shape`` (batch, frames); None if there is no trusted file."""
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
        """Store ``graph`` atomically; does nothing if the folder cannot be written."""
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._is_ours():
                return
            digest = hashlib.sha256(graph).digest()
            with whole_file(self._path(name, shape), mode=0o600) as file:
                file.writelines((digest, graph))
            keep_newest(self._folder, f"*{_ENDING}", MOST_FILES)

    def _path(self, name: str, shape: tuple[int, int]) -> Path:
        key = hashlib.sha256(json.dumps([*self._for, name, shape]).encode()).hexdigest()
        return self._folder / f"{name}-{key[:32]}{_ENDING}"

    def _is_ours(self) -> bool:
        """Whether only this user can write to the folder."""
        found = self._folder.lstat()
        others = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not others


def _library_and_cpu() -> list[Any]:
    """Everything besides pack and setting that decides which kernels OpenVINO chooses."""
    import openvino

    cpu = read_cpu()
    return [openvino.get_version(), cpu.model, *kernel_facts(cpu)]
