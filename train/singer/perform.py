"""Performs a song without audio: the curves that a perfect pitch tracker would find in a recording.

:func:`perform` takes a few milliseconds, so training can use thousands of performances;
:mod:`train.singer.sing` turns the same performance into audio.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from appliance.grid import SAMPLE_RATE_HZ
from appliance.vocal.onsets import onset_strength
from train.singer.level_curve import FLOOR_DB, Levels, levels_of
from train.singer.pitch_curve import pitch_midi
from train.singer.schedule import PlacedNote, melody, place
from train.singer.syllables import Syllable, guess_all
from train.singer.voices import VoiceSettings

if TYPE_CHECKING:
    from train.corpus.song import Song

HOP_SAMPLES = 512
"""Hop of the pitch track at 44.1 kHz."""

FINE_HOP_SAMPLES = 256
"""Hop of the curves for synthesis: 5.8 ms, half a hop of the pitch track."""


_CLEAR_RISE_DB = 20.0
_NEW_FORMANTS = ((0, 0.3), (1, 0.5), (2, 0.5), (3, 0.3))
"""Hops after a vowel's start, and the rise there; this and the line above are fitted to tracked
recordings."""


@dataclass(frozen=True, slots=True)
class Curves:
    """A pitch track: N hops of 512 samples at 44.1 kHz; hop i is centred on sample 512 i + 256.

    ``f0_hz`` (N,) is 0 where unvoiced; ``voiced`` (N,) is 0 or 1; ``level_db`` (N,) is in dBFS, not below
    -100; ``flux`` (N,) is the onset strength, about 1 at a clear onset. All are float32.
    """

    f0_hz: NDArray[np.float32]
    voiced: NDArray[np.float32]
    level_db: NDArray[np.float32]
    flux: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Performance:
    """A performance of a song.

    ``notes`` are the notes as sung, ``curves`` the pitch track. ``pitch_midi`` (K,), defined everywhere, and
    ``levels`` are on the grid of the synthesis: K points at multiples of 256 samples. ``total_samples`` is
    the length at 44.1 kHz.
    """

    notes: tuple[PlacedNote, ...]
    curves: Curves
    pitch_midi: NDArray[np.float64]
    levels: Levels
    total_samples: int


def song_rng(song: Song, seed: int, purpose: int = 0) -> np.random.Generator:
    """A generator that depends only on ``seed``, the song's id and ``purpose``."""
    return np.random.default_rng([seed, zlib.crc32(song.id.encode()), purpose])


def perform(
    song: Song, voice: VoiceSettings, seed: int, syllables: Sequence[Syllable] | None = None
) -> Performance:
    """Perform ``song`` with ``voice`` as curves; the same seed gives the same performance.

    ``syllables`` has one entry for each note of ``melody(song.voice)``; without it, consonants are guessed
    from the spelling. A song without sung notes gives silence.
    """
    rng = song_rng(song, seed)
    notes = melody(song.voice)
    if syllables is None:
        syllables = guess_all([n.syllable for n in notes], song.language)
    total = max(1, round(song.duration_s * SAMPLE_RATE_HZ))
    hops = -(-total // HOP_SAMPLES)
    count = 2 * hops + 1
    times_s = np.arange(count, dtype=np.float64) * (FINE_HOP_SAMPLES / SAMPLE_RATE_HZ)
    placed = place(notes, syllables, song.duration_s, voice, rng)
    if placed:
        pitch = pitch_midi(placed, times_s, voice, rng)
        levels = levels_of(placed, times_s, voice, rng)
    else:
        pitch = np.full(count, 60.0)
        nothing = np.zeros(count, np.float32)
        levels = Levels(nothing, nothing + FLOOR_DB, np.zeros(count), np.zeros(count, np.bool_))
    f0_hz = np.where(levels.voiced > 0.5, midi_to_hz(pitch), 0.0).astype(np.float32)
    voiced, level_db = levels.voiced[1::2], levels.level_db[1::2]
    track = Curves(f0_hz[1::2], voiced, level_db, flux_of(placed, f0_hz[1::2], voiced, level_db))
    return Performance(placed, track, pitch, levels, total)


def midi_to_hz(pitch: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert fractional MIDI numbers to Hz (69 is 440 Hz); any shape."""
    return np.asarray(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))


def flux_of(
    placed: Sequence[PlacedNote],
    f0_hz: NDArray[np.float32],
    voiced: NDArray[np.float32],
    level_db: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Onset strength (N,) as the appliance's tracker would measure it, from curves of N hops.

    Pitch steps are treated as in the tracker. The spectral rise is approximated by the level, and by a fixed
    rise where a vowel follows a consonant.
    """
    level = np.maximum(level_db, level_db.max() - 45.0)
    rise = np.zeros(len(level), np.float32)
    rise[3:] = np.maximum(level[3:] - level[:-3], 0.0) / _CLEAR_RISE_DB
    starts = [int(n.start_s * SAMPLE_RATE_HZ / HOP_SAMPLES) for n in placed if not n.held and n.onset]
    for offset, strength in _NEW_FORMANTS:
        at = np.array([s + offset for s in starts if s + offset < len(rise)], np.int64)
        rise[at] = np.maximum(rise[at], strength)
    return onset_strength(rise, f0_hz, voiced)
