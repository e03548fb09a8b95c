"""Plays scores for evaluation and training: the appliance's own band with any soundfont.

Whole soundfonts are large in memory (four bytes per sample: FluidR3 0.3 GB, MuseScore General 1 GB), so cut
them with ``python -m quantize.soundfont`` first. A cut soundfont loads in a tenth of a second.

- ``balance``: gains that give each group of a style its target loudness
- ``speed``: measures the speed of a full band
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.score import Score
from appliance.packs.sounds import StyleSounds
from appliance.playing.soundfont_band import SoundFont, render_stems
from train.band.balance import balanced


def render(score: Score, style: str, soundfont: Path) -> NDArray[np.float32]:
    """``score`` played in ``style``: (S, 2) float32 at 44.1 kHz, S samples.

    The sum of the stems, without loudness normalisation or limiter. Groups are balanced for the soundfont,
    which is loaded and measured once per process.

    Raises:
        PackError: the soundfont cannot be read or lacks one of the style's presets.
    """
    samples = round(score.duration_s * SAMPLE_RATE_HZ)
    blocks = render_stems(score, _sounds(style, soundfont), _loaded(soundfont), samples)
    mixes = [block.mix() for block in blocks]
    return np.concatenate(mixes) if mixes else np.zeros((0, 2), np.float32)


@lru_cache(maxsize=4)
def _loaded(soundfont: Path) -> SoundFont:
    return SoundFont(soundfont)


@lru_cache(maxsize=64)
def _sounds(style: str, soundfont: Path) -> StyleSounds:
    return balanced(style, _loaded(soundfont))
