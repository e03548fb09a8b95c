"""Publishes the files of a render: all appear at once, or none.

A render writes into a hidden folder beside the results, ``.NAME.part``. When all files are complete and
synced, they are moved into place, the receipt last: if the receipt exists, the render is complete. On any
error, or Ctrl-C, the hidden folder is removed. If the process is killed, the folder stays without its lock,
and the next render of the same name removes it.

The hidden folder also claims the name, so that two renders never write the same files. If a name exists
already, the render gets a number (``NAME-2.mix.wav``). With ``overwrite``, the old render is replaced,
including stems that the new one lacks; it is restored if the new one cannot be moved into place.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType

from appliance.errors import OutputError
from appliance.files.durable import sync
from appliance.files.folder_claim import claim_folder
from appliance.files.write_errors import output_error, writing
from appliance.music.score import DRUM_GROUP, GROUPS

RESULT_ENDINGS = ("accompaniment.wav", "mix.wav", "mid", "receipt.json")
"""Endings of a render's files in the folder of the results, after ``NAME.``"""

STEMS_FOLDER = "stems"
STEM_ENDINGS = tuple(f"{group}.wav" for group in (*GROUPS, DRUM_GROUP))


_MAX_NUMBER = 9_999


class Publication:
    """The files of one render; a context manager that publishes them at its end.

    ``out`` is the folder for the results, which is created if missing; ``name`` is their name without an
    ending. Read :attr:`name` inside the block, because it may have got a number. Raises OutputError if a file
    cannot be written.
    """

    def __init__(self, out: Path, name: str, *, overwrite: bool = False) -> None:
        self.out = Path(out)
        self.name = name
        self._wanted = name
        self._overwrite = overwrite
        self._folder = self.out
        self._lock = -1
        self._made: list[Path] = []
        self._files: list[Path] = []

    @property
    def folder(self) -> Path:
        """The hidden folder. Working files in it are not published."""
        return self._folder

    def path(self, ending: str, *, folder: str = "") -> Path:
        """The path to write ``out/folder/NAME.ending`` to. The order of calls is the order of publishing."""
        place = Path(folder) / f"{self.name}.{ending}"
        staged = self._folder / "files" / place
        with writing(self.out / place):
            staged.parent.mkdir(parents=True, exist_ok=True)
        if place not in self._files:
            self._files.append(place)
        return staged

    def __enter__(self) -> Publication:
        try:
            with _signals_held():
                self._make(self.out)
                self._claim()
        except OSError as error:
            self._remove()
            raise output_error(self.out, error) from error
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _signals_held():
            try:
                if error is None:
                    self._publish()
            finally:
                self._remove()
        if isinstance(error, OSError) and self._is_ours(error):
            raise output_error(self.out, error) from error

    def need_bytes(self, count: int) -> None:
        """Raise OutputError unless the disk has ``count`` bytes free, to fail before the work."""
        free = shutil.disk_usage(self._folder).free
        if free < count:
            raise OutputError(
                f"{self.out} cannot be written: this render needs {count / 1e9:.1f} GB and the disk has "
                f"{free / 1e9:.1f} GB free; free some space and render again."
            )

    def _is_ours(self, error: OSError) -> bool:
        """Whether ``error`` is about writing results, not about reading other files."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        return isinstance(error.filename, str | Path) and self._folder in Path(error.filename).parents

    def _make(self, folder: Path) -> None:
        """Create ``folder`` and its parents, and remember the ones created."""
        missing = [p for p in (folder, *folder.parents) if not p.exists()]
        for parent in reversed(missing):
            parent.mkdir()
            self._made.append(parent)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "is a file", str(folder))

    def _claim(self) -> None:
        """Claim the first free name; the process holds the lock of its hidden folder."""
        for number in range(1, _MAX_NUMBER):
            self.name = self._wanted if number == 1 else f"{self._wanted}-{number}"
            if self._old_files() and not self._overwrite:
                continue
            folder = self.out / f".{self.name}.part"
            lock = claim_folder(folder)
            if lock is None:
                continue
            self._folder, self._lock = folder, lock
            if self._overwrite or not self._old_files():
                return
            self._remove_folder()
        raise OutputError(
            f"{self.out} already has {_MAX_NUMBER} renders of {self._wanted}; choose another folder."
        )

    def _old_files(self) -> list[Path]:
        """The files of an earlier render of this name, relative to ``out``."""
        stems = (Path(STEMS_FOLDER) / f"{self.name}.{ending}" for ending in STEM_ENDINGS)
        results = (Path(f"{self.name}.{ending}") for ending in RESULT_ENDINGS)
        return [place for place in (*results, *stems) if _exists(self.out / place)]

    def _publish(self) -> None:
        """Move all files into place; on an error the old state is restored."""
        staged = self._folder / "files"
        backup = self._folder / "old"
        moved: list[Path] = []
        set_aside: list[Path] = []
        place = Path()
        try:
            for place in self._files:
                sync(staged / place)
            for place in dict.fromkeys((*self._old_files(), *self._files)):
                target = self.out / place
                if not _exists(target):
                    continue
                if target.is_dir():
                    raise IsADirectoryError(errno.EISDIR, "is a folder", str(target))
                if not self._overwrite:
                    raise FileExistsError(errno.EEXIST, "appeared meanwhile", str(target))
                (backup / place).parent.mkdir(parents=True, exist_ok=True)
                target.rename(backup / place)
                set_aside.append(place)
            for place in self._files:
                target = self.out / place
                self._make(target.parent)
                (staged / place).rename(target)
                moved.append(place)
            for folder in {(self.out / place).parent for place in self._files} | {self.out}:
                sync(folder)
        except BaseException as error:
            for done in moved:
                (self.out / done).unlink(missing_ok=True)
            for old in set_aside:
                (backup / old).rename(self.out / old)
            if isinstance(error, OSError):
                raise output_error(self.out / place, error) from error
            raise
        self._made = []

    def _remove(self) -> None:
        """Remove the hidden folder, and created folders that are empty."""
        self._remove_folder()
        for folder in reversed(self._made):
            try:
                folder.rmdir()
            except OSError:
                break

    def _remove_folder(self) -> None:
        if self._lock >= 0:
            shutil.rmtree(self._folder, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1


def _exists(path: Path) -> bool:
    """Whether anything has this name. Unlike ``Path.exists``, it raises OSError if the name is too long."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


@contextmanager
def _signals_held() -> Iterator[None]:
    """Delay SIGINT and SIGTERM to the end of the block. Python handles signals in the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def remember(number: int, _: FrameType | None) -> None:
        came.append(number)

    before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
        if came:
            signal.raise_signal(came[0])
