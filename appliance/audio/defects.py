"""Defects of a recording that its mix should not inherit, and the cure for each.

- A voice on one side only, as from the one input of two that was used, is put on both.
- A DC offset, and rumble below hearing such as wind, are taken away by a high-pass filter.

A recording without them keeps its samples. Letters: n samples, C channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from appliance.audio.blocks import Block
from appliance.audio.high_pass import HIGH_PASS_HZ, without_rumble

DEAD_SIDE_DB = -40.0
"""Power of a side relative to the other below which it holds no voice; no stereo recording is so lopsided."""

OFFSET_DB = -30.0
"""Power of the DC offset relative to the sound's above which it is taken away."""

RUMBLE_DB = -24.0
"""Power of what is below hearing relative to the sound's, likewise. The two real singers are at -32 and -40
dB; a sung note alone comes to -27 dB at most, because the estimate lets a little of it through."""

_WINDOW_S = 0.05
"""Means over pairs of such windows let pass what is below 8 Hz, and little of any sung note."""

Side = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class Defects:
    """``only_side`` is the one that holds the voice, None if both do. ``offset`` is the mean of each channel
    if the filter is needed.

    ``has_offset`` and ``has_rumble`` say what the high-pass filter is for; without either it is not applied.
    """

    only_side: Side | None = None
    offset: tuple[float, ...] = ()
    has_offset: bool = False
    has_rumble: bool = False

    @property
    def high_pass(self) -> bool:
        """Whether the filter is needed."""
        return self.has_offset or self.has_rumble

    @property
    def sentences(self) -> list[str]:
        """What is done about the defects, for the user."""
        said = []
        if self.only_side is not None:
            said.append(f"The voice is on the {self.only_side} side only; the mix has it on both.")
        if self.high_pass:
            found = " and ".join(
                name
                for name, is_so in (("a DC offset", self.has_offset), ("rumble", self.has_rumble))
                if is_so
            )
            said.append(
                f"The recording has {found}; a high-pass filter at {HIGH_PASS_HZ:g} Hz takes it away."
            )
        return said

    def cured(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The recording ``blocks``, (n, C) at 44.1 kHz, without the defects: the same length and C."""
        offset = np.asarray(self.offset)
        if self.only_side is not None:
            side = ("left", "right").index(self.only_side)
            blocks, offset = (block[:, side : side + 1] for block in blocks), offset[side : side + 1]
        if self.high_pass:
            blocks = without_rumble(blocks, offset, swings=self.has_rumble)
        for block in blocks:
            yield np.repeat(block, 2, axis=1) if self.only_side is not None else block


class DefectSearch:
    """Looks for defects in a recording of ``rate_hz``, block by block."""

    def __init__(self, rate_hz: int) -> None:
        self._window = max(1, round(_WINDOW_S * rate_hz))
        self._rest = np.zeros((0, 0), np.float32)
        self._power: NDArray[np.float64] = np.zeros(0)
        self._samples = 0
        self._means: list[NDArray[np.float32]] = []

    def add(self, block: Block) -> None:
        """Adds (n, C)."""
        if not self._samples:
            self._rest = np.zeros((block.shape[1], 0), np.float32)
            self._power = np.zeros(block.shape[1])
        channels = np.ascontiguousarray(block.T)  # sums along rows are ten times as fast as along columns
        self._power += [float(row @ row) for row in channels]
        self._samples += len(block)
        joined = np.concatenate([self._rest, channels], axis=1)
        whole = joined.shape[1] // self._window * self._window
        self._means.append(joined[:, :whole].reshape(len(joined), -1, self._window).mean(axis=2))
        self._rest = joined[:, whole:].copy()

    def result(self) -> Defects:
        """What was found, once all blocks are in."""
        if not self._samples:
            return Defects()
        means = np.concatenate(self._means, axis=1).astype(np.float64)
        mean = (means.sum(axis=1) * self._window + self._rest.sum(axis=1)) / self._samples
        sound = np.maximum(self._power / self._samples - np.square(mean), 0.0)
        counts = sound >= 10 ** (DEAD_SIDE_DB / 10) * sound.max()
        only_side: Side | None = None if counts.all() else "left" if counts[0] else "right"
        rumble = _lasting_power((means[:, 1:] + means[:, :-1]) / 2 - mean[:, None])
        has_offset = bool((np.square(mean) > 10 ** (OFFSET_DB / 10) * sound)[counts].any())
        has_rumble = bool((rumble > 10 ** (RUMBLE_DB / 10) * sound)[counts].any())
        offset = tuple(mean.tolist()) if has_offset or has_rumble else ()
        return Defects(only_side, offset, has_offset, has_rumble)


def _lasting_power(slow: NDArray[np.float64]) -> NDArray[np.float64]:
    """Power (C,) of slow swings (C, means) that a quarter of the seconds exceeds: a knock is no rumble."""
    each = round(1.0 / _WINDOW_S)
    seconds = slow.shape[1] // each
    if not seconds:
        return np.zeros(len(slow))
    pieces = np.square(slow[:, : seconds * each]).reshape(len(slow), seconds, each).mean(axis=2)
    power: NDArray[np.float64] = np.sort(pieces, axis=1)[:, 3 * (seconds - 1) // 4]
    return power
