"""The neural sound: the audio decoder plays a score, one stereo stem per group, block by block.

The STFT of the sources (:mod:`appliance.playing.excitation`) is multiplied by the decoder's gains per band
and transformed back. The decoder has learned each group of each style with the default sounds, including
their gains. Afterwards the pack's balance and reverb are applied, and the difference between its gain and the
default. Chunks overlap by the reach of the network's convolutions, so they join exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from appliance.music.score import DRUM_GROUP, GROUPS, STYLES, Note, Score
from appliance.networks.condition_rows import style_row
from appliance.packs.sounds import DEFAULT_SOUNDS, Sound
from appliance.playing.excitation import Excitation
from appliance.playing.placing import Place
from appliance.playing.reverb import PARTITION_SAMPLES, impulse_response
from appliance.playing.soundfont_band import StemBlock, in_blocks
from appliance.playing.source_filter import HOP_SAMPLES, filtered, istft, sources_of

Array = NDArray[np.float32]

Gains = Callable[[Array, Array, Array], Array]
"""The audio decoder: rows (R, F), style (S, 1), group (G, 1) -> log gains (GAIN_ROWS, F)."""

CHUNK_FRAMES = 256
"""Frames decoded at a time (3 s)."""

MARGIN_FRAMES = 24
"""Frames on each side of a chunk: the reach of the decoder's convolutions and a few more."""


def neural_stems(
    score: Score,
    style: str,
    sounds: Mapping[str, Sound],
    gains: Gains,
    total_samples: int,
    block_samples: int = PARTITION_SAMPLES,
    tuning_cents: float = 0.0,
) -> Iterator[StemBlock]:
    """Play ``score`` with the audio decoder ``gains``; yields blocks like those of the soundfont band.

    ``sounds`` maps each group of the score to its sound in the pack; the band is tuned to ``tuning_cents``
    above A = 440 Hz. See :func:`appliance.playing.soundfont_band.render_stems` for the blocks.
    """
    groups = score.groups()
    room = impulse_response() if any(sounds[group].reverb_db is not None for group in groups) else None
    stems = {}
    for group in groups:
        sound, learned = sounds[group], DEFAULT_SOUNDS[style][group]
        gain_db = sound.gain_db - learned.gain_db
        place = Place(total_samples, gain_db, sound.pan, sound.reverb_db, room)
        stems[group] = _Stem(score.only(group).notes, style, group, gains, place, total_samples, tuning_cents)
    return in_blocks(stems, total_samples, block_samples)


class _Stem:
    """The stem of one group, played by the audio decoder."""

    def __init__(
        self,
        notes: tuple[Note, ...],
        style: str,
        group: str,
        gains: Gains,
        place: Place,
        total_samples: int,
        tuning_cents: float,
    ) -> None:
        self._excitation = Excitation(notes, style, group, total_samples, tuning_cents)
        self._style = style_row(STYLES.index(style))
        self._group = group_row(group)
        self._gains = gains
        self.place = place
        self._decoded = np.zeros(0, np.float32)
        self._next_frame = 0

    def play(self) -> Array:
        """The next PARTITION_SAMPLES samples, dry: (PARTITION_SAMPLES, 2)."""
        if not len(self._decoded):
            self._decoded = self._chunk()
        mono, self._decoded = self._decoded[:PARTITION_SAMPLES], self._decoded[PARTITION_SAMPLES:]
        return np.repeat(mono[:, None], 2, axis=1)

    def _chunk(self) -> Array:
        """Decode the next CHUNK_FRAMES frames: (512 · CHUNK_FRAMES,), mono."""
        first = self._next_frame
        self._next_frame += CHUNK_FRAMES
        frames = CHUNK_FRAMES + 1
        spectrum, rows = sources_of(self._excitation, first - MARGIN_FRAMES, frames + 2 * MARGIN_FRAMES)
        inner = slice(MARGIN_FRAMES, MARGIN_FRAMES + frames)
        if not spectrum[..., inner].any():
            return np.zeros(CHUNK_FRAMES * HOP_SAMPLES, np.float32)
        gains = self._gains(rows, self._style, self._group)
        return istft(filtered(spectrum[..., inner], gains[:, inner]))


def group_row(group: str) -> Array:
    """One-hot vector of a group, (G, 1) for G groups, drums last."""
    row = np.zeros((len(GROUPS) + 1, 1), np.float32)
    row[(*GROUPS, DRUM_GROUP).index(group)] = 1.0
    return row
