"""A recording, opened: all of its sound from one iterator, however its container holds it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import soundfile

from appliance.audio.blocks import BLOCK_SAMPLES, Block
from appliance.audio.containers import (
    Container,
    IncompleteError,
    Readable,
    container_of,
    foreign_format,
    readable,
)
from appliance.audio.pieces import Pieces
from appliance.errors import InputError

_FINE_SAMPLES = 512
"""How exactly the place of a damage is told."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A recording that can be decoded. ``rate_hz`` and ``channels`` are the same in all its ``streams``.

    ``declared_frames`` counts samples per channel that its headers promise, None where they do not say.
    ``lost`` are gaps that were filled with silence: (second, seconds).
    """

    path: Path
    container: Container
    rate_hz: int
    channels: int
    declared_frames: int | None
    lost: tuple[tuple[float, float], ...]
    streams: tuple[Path | Pieces, ...]

    def blocks(self) -> Iterator[Block]:
        """Decode blocks of (n, C) float32 at the file's own rate: n samples, C channels.

        Raises:
            InputError: a part of it cannot be decoded.
        """
        before = 0
        for stream in self.streams:
            frames = 0
            with _decoder(self.path, stream) as sound:
                while True:
                    try:
                        block: Block = sound.read(BLOCK_SAMPLES, dtype="float32", always_2d=True)
                    except (soundfile.LibsndfileError, OSError) as error:
                        second = (before + _breaks_at(stream)) / self.rate_hz
                        raise InputError(
                            f"{self.path} is damaged or cut short: decoding fails after {second:.1f} s; "
                            "copy or export it again."
                        ) from error
                    if not len(block):
                        break
                    frames += len(block)
                    yield block
            before += frames


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """Open the recording ``path``.

    Raises:
        InputError: it is missing, unreadable, not a recording, or a part of it is missing or damaged.
    """
    with ExitStack() as held:
        try:
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                raise InputError(f"{path} is a folder; name the recordings in it.")
            if not stat.S_ISREG(mode):
                raise InputError(f"{path} is not a regular file; give a recording on disk.")
            file = held.enter_context(path.open("rb"))
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                raise InputError(f"{path} is empty (0 bytes); copy or export it again.")
            container = container_of(file)
            if container is None and (foreign := foreign_format(file)) is not None:
                raise InputError(
                    f"{path} is {foreign}, which Backline does not read; convert it with Audacity "
                    "(File, Export Audio) or with 'ffmpeg -i IN OUT.wav', both free."
                )
            if container is None:
                raise InputError(
                    f"{path} is not a recording in a format that Backline reads; "
                    "export it as WAV, AIFF, FLAC, OGG or MP3."
                )
            found = readable(file, size, container)
        except IncompleteError as error:
            raise InputError(f"{path} is cut short or damaged: {error}; copy or export it again.") from error
        except FileNotFoundError as error:
            raise InputError(f"{path} does not exist; check the name.") from error
        except PermissionError as error:
            raise InputError(f"{path} may not be read by this user; change its permissions.") from error
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}.") from error
        yield _described(path, container, found)


def _described(path: Path, container: Container, found: Readable) -> Opened:
    streams = tuple(path if stream is None else stream for stream in found.streams)
    kinds, frames = [], 0
    for stream in streams:
        with _decoder(path, stream) as sound:
            kinds.append((sound.samplerate, sound.channels))
            if kinds[-1] != kinds[0]:
                begins_s = frames / kinds[0][0]
                raise InputError(
                    f"{path} changes its sample rate or channels at {begins_s:.1f} s; export it as one file."
                )
            frames += sound.frames
    declared = frames if found.counted else None
    return Opened(path, container, *kinds[0], declared, found.lost, streams)


def _decoder(path: Path, stream: Path | Pieces) -> soundfile.SoundFile:
    """Raises InputError, in the name of ``path``."""
    try:
        if isinstance(stream, Pieces):
            stream.seek(0)
        return soundfile.SoundFile(stream)
    except (soundfile.LibsndfileError, OSError) as error:
        raise InputError(
            f"{path} is damaged or has an unknown encoding; export it again as WAV or FLAC."
        ) from error


def _breaks_at(stream: Path | Pieces) -> int:
    """The frame near which ``stream`` cannot be decoded any more."""
    frames = 0
    with suppress(soundfile.LibsndfileError, OSError, InputError), _decoder(Path(), stream) as sound:
        while len(sound.read(_FINE_SAMPLES)):
            frames += _FINE_SAMPLES
    return frames
