"""Reads WAV, AIFF, FLAC, OGG and MP3 files as blocks of samples at 44.1 kHz.

:func:`probe` first decodes the whole file once, so that a damaged recording is refused at the start and not
after twenty minutes of work. :func:`read_blocks` and :func:`read_mono` then stream it. Memory does not grow
with the length of the recording.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from appliance.audio.blocks import BLOCK_SAMPLES, Block, exactly, recut
from appliance.audio.defects import Defects, DefectSearch
from appliance.audio.opened import Opened, opened
from appliance.errors import InputError
from appliance.files.hashes import file_sha256
from appliance.grid import SAMPLE_RATE_HZ

LOWEST_RATE_HZ = 8_000
HIGHEST_RATE_HZ = 192_000
SHORTEST_S = 1.0
MOST_CHANNELS = 2

_RESAMPLER = "VHQ"
"""soxr's best quality: its stop band lies below the noise of a 24-bit file."""

_OPPOSED_POWER_RATIO = 0.01
"""Power of the channels' mean, relative to their own, below which one channel has reversed polarity."""

LARGEST_SAMPLE = 2.0**32
"""Programs that write 32-bit numbers as floats without dividing them reach 2^31. What is beyond is damage,
and squares of much more are infinite."""


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """A usable recording, as :func:`probe` found it.

    ``frames`` counts samples per channel at the file's own ``rate_hz``. ``sha256`` is the hash of the
    file's bytes, in hex. ``peak`` is the largest absolute sample (full scale is 1.0; 0.0 is digital
    silence). ``opposed`` means that the two channels cancel each other when added.
    ``lost`` are damaged parts in whose place there is silence: (second, seconds).
    ``defects`` are those that :func:`read_blocks` cures.
    """

    path: Path
    container: str
    rate_hz: int
    channels: int
    frames: int
    sha256: str
    peak: float
    opposed: bool = False
    lost: tuple[tuple[float, float], ...] = ()
    defects: Defects = field(default_factory=Defects)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.rate_hz

    @property
    def output_samples(self) -> int:
        """Length in samples at 44.1 kHz: the exact length of every file rendered from this one."""
        return round(Fraction(self.frames * SAMPLE_RATE_HZ, self.rate_hz))

    @property
    def peak_dbfs(self) -> float:
        """The largest sample in dBFS; -inf for digital silence."""
        return float(20 * np.log10(self.peak)) if self.peak > 0 else -np.inf


def probe(path: Path) -> AudioInfo:
    """Decode all of ``path`` and describe it.

    Raises:
        InputError: the file is missing, unreadable, not audio, cut short, damaged or empty; or it is shorter
            than a second, has more than two channels, a sample rate outside 8-192 kHz, or samples that are
            NaN, infinite or larger than :data:`LARGEST_SAMPLE`.
    """
    path = Path(path)
    with opened(path) as sound:
        _check_format(sound)
        search = DefectSearch(sound.rate_hz)
        frames, peak, opposed = _scan(sound, search)
        if sound.declared_frames is not None and frames < sound.declared_frames:
            raise InputError(
                f"{path} is cut short: its header declares {sound.declared_frames / sound.rate_hz:.1f} s but "
                f"only {frames / sound.rate_hz:.1f} s can be read; copy or export it again."
            )
        if frames < SHORTEST_S * sound.rate_hz:
            held = "no sound" if frames == 0 else f"only {frames / sound.rate_hz:.2g} s of sound"
            raise InputError(f"{path} holds {held}; Backline needs at least one second.")
        return AudioInfo(
            path,
            sound.container,
            sound.rate_hz,
            sound.channels,
            frames,
            _sha256(path),
            peak,
            opposed,
            sound.lost,
            search.result(),
        )


def read_blocks(info: AudioInfo, block_samples: int = BLOCK_SAMPLES) -> Iterator[Block]:
    """Read the recording in stereo at 44.1 kHz, ``info.output_samples`` samples in all, without its defects.

    Mono is copied to both channels. Shape: blocks of (``block_samples``, 2) float32, the last one shorter.

    Raises:
        InputError: the file has changed since it was probed.
    """
    blocks = exactly(_resampled(info), info.output_samples)
    for block in recut(info.defects.cured(blocks), block_samples):
        yield np.repeat(block, 2, axis=1) if info.channels == 1 else block


def read_mono(info: AudioInfo, block_samples: int = BLOCK_SAMPLES) -> Iterator[Block]:
    """Read the recording as one channel at 44.1 kHz, ``info.output_samples`` samples in all.

    The mean of both channels, or the left channel alone if they would cancel. Shape: blocks of
    (``block_samples``,) float32, the last one shorter.

    Raises:
        InputError: the file has changed since it was probed.
    """
    for block in read_blocks(info, block_samples):
        yield block[:, 0].copy() if info.opposed else mono(block)


def mono(block: Block) -> Block:
    """The mean of the channels: (n, C) -> (n,); n samples, C = 1 or 2 channels."""
    left, right = block[:, 0], block[:, -1]  # adding two columns is ten times as fast as mean(axis=1)
    mean: NDArray[np.float32] = (left + right) * np.float32(0.5)
    return mean


def _check_format(sound: Opened) -> None:
    if sound.channels > MOST_CHANNELS:
        raise InputError(
            f"{sound.path} has {sound.channels} channels, and Backline cannot tell which is the voice; "
            "export the vocal alone as mono or stereo."
        )
    if not LOWEST_RATE_HZ <= sound.rate_hz <= HIGHEST_RATE_HZ:
        raise InputError(
            f"{sound.path} has a sample rate of {sound.rate_hz} Hz; Backline reads 8,000 to 192,000 Hz, "
            "so export it at 44,100 Hz."
        )


def _scan(sound: Opened, search: DefectSearch) -> tuple[int, float, bool]:
    """Number of frames, largest absolute sample, and whether the channels cancel."""
    frames, peak = 0, 0.0
    power_mean = power_channels = 0.0
    for block in sound.blocks():
        size = np.abs(block)
        usable = size <= LARGEST_SAMPLE  # NaN is not
        if not usable.all():
            first = int(np.argmin(usable.all(axis=1)))
            what = (
                f"a sample far beyond any level ({size[first].max():.1e}, where 1 is full scale)"
                if np.isfinite(block[first]).all()
                else "samples that are not numbers (NaN or infinity), the first"
            )
            raise InputError(
                f"{sound.path} holds {what} at {(frames + first) / sound.rate_hz:.3f} s; export it again."
            )
        frames += len(block)
        search.add(block)
        peak = max(peak, float(size.max()))
        power_mean += float(np.square(mono(block)).sum(dtype=np.float64))
        power_channels += float(np.square(block).sum(dtype=np.float64)) / block.shape[1]
    return frames, peak, power_mean < _OPPOSED_POWER_RATIO * power_channels


def _resampled(info: AudioInfo) -> Iterator[Block]:
    """The file at 44.1 kHz with its own channels; its length may be off by one sample."""
    with opened(info.path) as sound:
        if (sound.rate_hz, sound.channels) != (info.rate_hz, info.channels):
            raise _changed(info)
        stream = soxr.ResampleStream(
            info.rate_hz, SAMPLE_RATE_HZ, info.channels, dtype="float32", quality=_RESAMPLER
        )
        frames = 0
        for block in sound.blocks():
            frames += len(block)
            if frames > info.frames:
                raise _changed(info)
            yield block if info.rate_hz == SAMPLE_RATE_HZ else stream.resample_chunk(block)
        if frames != info.frames:
            raise _changed(info)
        if info.rate_hz != SAMPLE_RATE_HZ:
            yield stream.resample_chunk(np.zeros((0, info.channels), np.float32), last=True)


def _changed(info: AudioInfo) -> InputError:
    return InputError(f"{info.path} changed while it was being read; render it again once it is complete.")


def _sha256(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
