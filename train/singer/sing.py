"""Turns a performance into audio: WORLD synthesis with the sound of spoken words.

The frames of each syllable are stretched to its notes. Consonants keep their speed, the middle of the vowel
is held, and pitch and level follow the performance's curves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import soxr
from numpy.typing import NDArray

from appliance.grid import SAMPLE_RATE_HZ
from train.singer.level_curve import FLOOR_DB
from train.singer.perform import FINE_HOP_SAMPLES, HOP_SAMPLES, Curves, Performance, midi_to_hz, perform
from train.singer.schedule import PlacedNote, melody
from train.singer.speech import SPEECH_RATE_HZ
from train.singer.timbre import Timbre
from train.singer.voices import VoiceSettings
from train.singer.words import SpokenSyllable, spoken_syllables
from train.singer.world import synthesise

if TYPE_CHECKING:
    from train.corpus.song import Song

_GRID_S = FINE_HOP_SAMPLES / SAMPLE_RATE_HZ
_MARGIN = 4
_ISLAND_FRAMES = 3000
"""Longest stretch synthesised at once (17 s), to limit memory."""


@dataclass(frozen=True, slots=True)
class Singing:
    """Sung audio: mono ``audio`` (S,) at ``rate_hz``, exactly as long as the song, and the ``notes`` as sung.

    ``curves`` is the pitch track, with levels measured on ``audio``.
    """

    audio: NDArray[np.float32]
    rate_hz: int
    notes: tuple[PlacedNote, ...]
    curves: Curves


def sing(song: Song, voice: VoiceSettings, seed: int) -> Singing:
    """Sing ``song`` with ``voice``; the same seed gives the same samples.

    Raises:
        MachineError: espeak-ng, its voice or pyworld is not installed.
    """
    notes = melody(song.voice)
    spoken = spoken_syllables(notes, song.language, voice.variant)
    performance = perform(song, voice, seed, [s.consonants for s in spoken])
    audio = _levelled(_render(performance, spoken, Timbre(voice)), performance.curves)
    curves = performance.curves
    measured = Curves(curves.f0_hz, curves.voiced, level_db(audio, len(curves.f0_hz)), curves.flux)
    return Singing(audio, SAMPLE_RATE_HZ, performance.notes, measured)


def level_db(audio: NDArray[np.float32], hops: int) -> NDArray[np.float32]:
    """RMS in dBFS of every 512 samples, not below -100: (S,) -> (hops,)."""
    padded = np.pad(audio, (0, max(0, hops * HOP_SAMPLES - len(audio))))[: hops * HOP_SAMPLES]
    power = np.square(padded.reshape(hops, HOP_SAMPLES), dtype=np.float64).mean(axis=1)
    return np.asarray(10.0 * np.log10(np.maximum(power, 10.0 ** (FLOOR_DB / 10.0))), np.float32)


def _render(
    performance: Performance, spoken: Sequence[SpokenSyllable], timbre: Timbre
) -> NDArray[np.float32]:
    count = len(performance.pitch_midi)
    source, syllable = source_frames(performance.notes, spoken, count)
    levels = performance.levels
    sounding = (syllable >= 0) | levels.breath
    low_rate = np.zeros(128 * count)
    for start, end in islands(sounding):
        here = slice(start, end)
        envelope, aperiodicity, lit = timbre.frames(source[here], syllable[here], spoken, levels.breath[here])
        # WORLD takes logarithms, so avoid zeros.
        envelope = np.maximum(envelope * (levels.gain[here] ** 2)[:, None], 1e-14)
        # Voicing follows the spoken frames, so that a fricative stays unvoiced.
        f0_hz = np.where(lit, midi_to_hz(performance.pitch_midi[here]), 0.0)
        low_rate[128 * start : 128 * end] += synthesise(f0_hz, envelope, aperiodicity)
    audio = soxr.resample(low_rate, SPEECH_RATE_HZ, SAMPLE_RATE_HZ)[: performance.total_samples]
    padded = np.pad(audio, (0, performance.total_samples - len(audio)))
    return np.asarray(padded, np.float32)


def _levelled(audio: NDArray[np.float32], curves: Curves) -> NDArray[np.float32]:
    """Scale the audio (S,) to the level of the curves by one gain; peaks stay below full scale.

    High notes are too soft otherwise, because their harmonics miss formants.
    """
    voiced = curves.voiced > 0.5
    if not voiced.any():
        return audio
    missing_db = float(np.median(curves.level_db[voiced] - level_db(audio, len(voiced))[voiced]))
    gain = 10.0 ** (missing_db / 20.0)
    return np.asarray(audio * min(gain, 0.98 / max(float(np.abs(audio).max()), 1e-9)), np.float32)


def source_frames(
    placed: Sequence[PlacedNote], spoken: Sequence[SpokenSyllable], count: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The spoken frame that sounds at each point of the synthesis.

    Returns fractional frames (count,), and indices into ``spoken`` (count,), -1 in silence.
    """
    source = np.zeros(count)
    syllable = np.full(count, -1, np.int64)
    for group in _held_groups(placed):
        first, last = group[0], group[-1]
        said = spoken[first.written]
        out_s, frames = [first.first_s, first.start_s], [float(said.start), float(said.vowel_start)]
        length = (last.end_s - first.start_s) / _GRID_S
        frames_long = said.vowel_end - said.vowel_start
        if length > frames_long:
            # Hold slightly before the middle, because later a diphthong moves to its second vowel.
            head, tail = 0.4 * frames_long, 0.35 * frames_long
            out_s += [first.start_s + head * _GRID_S, last.end_s - tail * _GRID_S]
            frames += [said.vowel_start + head, said.vowel_end - tail]
        out_s += [last.end_s, last.last_s]
        frames += [float(said.vowel_end), float(said.end)]
        a, b = (int(np.clip(np.ceil(t / _GRID_S), 0, count)) for t in (first.first_s, last.last_s))
        source[a:b] = np.interp(np.arange(a, b) * _GRID_S, out_s, frames)
        syllable[a:b] = first.written
    return source, syllable


def _held_groups(placed: Sequence[PlacedNote]) -> Iterator[list[PlacedNote]]:
    group: list[PlacedNote] = []
    for note in placed:
        # After a breath, a held vowel starts again.
        if group and not (note.held and note.phrase == group[-1].phrase):
            yield group
            group = []
        group.append(note)
    if group:
        yield group


def islands(sounding: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Stretches [start, end) of frames with sound, from ``sounding`` (K,), with a margin on both sides.

    Stretches are joined up to a maximum length.
    """
    changes = np.flatnonzero(np.diff(sounding.astype(np.int8), prepend=0, append=0))
    start = end = None
    for a, b in zip(changes[::2], changes[1::2], strict=True):
        a, b = max(int(a) - _MARGIN, 0), min(int(b) + _MARGIN, len(sounding))
        if start is None or end is None:
            start, end = a, b
        elif a <= end and b - start <= _ISLAND_FRAMES:
            end = b
        else:
            yield start, end
            start, end = max(a, end), b
    if start is not None and end is not None:
        yield start, end
