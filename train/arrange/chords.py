"""The chords of a song: its chord symbols, or else read from the written accompaniment.

Each pulse has a duration-weighted chroma vector and a lowest note. Each of 9 chord qualities on 12 roots
explains them as a multinomial, and a Viterbi path over the pulses pays for every change of chord, least at
bar lines. (Template matching with a hidden Markov model, as in Sheh and Ellis, "Chord segmentation and
recognition using EM-trained hidden Markov models", ISMIR 2003; the weights here are set by hand.)

Letters: P pulses, C = 108 chords (quality by quality, 12 roots each).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from appliance.music.score import Note
from appliance.numerics.viterbi import Arrival, best_path, from_options
from train.arrange.chord import QUALITIES, Chord
from train.arrange.grid import Grid, read_grid
from train.arrange.symbols import symbol_chords
from train.corpus.song import Song, SungNote
from train.corpus.timeline import overlaps

_RARITY = {"maj": 0.0, "min": 0.0, "dim": 0.8, "aug": 1.6, "7": 0.35, "maj7": 1.0, "m7": 0.7,
           "hdim": 0.9, "sus4": 1.5}  # fmt: skip
"""Cost in nats per pulse of rarer chords, so that a passing note does not change the chord."""

_VOICE_WEIGHT = 0.25
"""Weight of a sung note against a written one: a tune over an accompaniment has passing notes."""
_EVIDENCE_PULSES = 7.0
"""Weight of one full pulse against :data:`_CHANGE`; set by hand, checked by tests."""

_CHANGE = {"bar": 1.0, "half": 2.0, "pulse": 3.5}
"""Cost in nats of a change at a bar line, in the middle of a bar and elsewhere."""


class Harmony:
    """Contiguous chords with lookup by time."""

    def __init__(self, chords: Sequence[Chord]) -> None:
        self.chords = tuple(chords)
        self._starts = [chord.start_s for chord in self.chords]

    def index(self, time_s: float) -> int:
        """Number of the chord at ``time_s``."""
        return max(0, bisect_right(self._starts, time_s + 0.01) - 1)

    def at(self, time_s: float) -> Chord:
        """The chord that sounds at ``time_s``."""
        return self.chords[self.index(time_s)]

    def after(self, time_s: float) -> Chord:
        """The chord after the one at ``time_s``; the last chord is its own successor."""
        return self.chords[min(self.index(time_s) + 1, len(self.chords) - 1)]


def read_chords(song: Song) -> tuple[Chord, ...]:
    """The chords of ``song``, contiguous from 0 to its end.

    They are its chord symbols if it has any, else read from its notes.
    """
    return chords_on(song, read_grid(song))


def chords_on(song: Song, grid: Grid) -> tuple[Chord, ...]:
    """Like :func:`read_chords`, on a given grid."""
    read = _analysed(song, grid)
    return symbol_chords(song, grid, read) if song.chords else read


def _analysed(song: Song, grid: Grid) -> tuple[Chord, ...]:
    """Chords read from the notes."""
    edges = np.array([t for bar in grid.bars for t in bar.pulses_s[:-1]] + [grid.bars[-1].end_s])
    bar_of = np.repeat(np.arange(len(grid.bars)), [bar.pulses for bar in grid.bars])
    chroma = _chroma(song.written, edges) + _voice_weight(song) * _chroma(song.voice, edges)
    lowest = _bass_chroma(song.written, edges, bar_of)
    log_likelihood = _log_likelihood(chroma, lowest, song)
    changes = np.array([_change_cost(p, bar.pulses) for bar in grid.bars for p in range(bar.pulses)])
    path = best_path(log_likelihood, lambda scores, pulse: _arrival(scores, changes[pulse]))
    return _merged(path, lowest, edges, bar_of)


def _voice_weight(song: Song) -> float:
    """In four-part music, and without an accompaniment, the tune is a full part of the chord."""
    return 1.0 if song.role in ("satb", "leadsheet") else _VOICE_WEIGHT


def _spread(
    notes: Sequence[Note] | Sequence[SungNote], edges: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Pulse, pitch and overlap (in pulses) of every note in every pulse in which it sounds."""
    pulse, pitch, overlap_s = overlaps(notes, edges, slack_s=1e-4)
    return pulse, pitch, overlap_s / np.diff(edges)[pulse]


def _chroma(notes: Sequence[Note] | Sequence[SungNote], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """(P, 12): how long each pitch class sounds in each pulse, in pulses."""
    pulse, pitch, overlap = _spread(notes, edges)
    size = (len(edges) - 1) * 12
    chroma: NDArray[np.float64] = np.bincount(pulse * 12 + pitch % 12, overlap, size).astype(np.float64)
    return chroma.reshape(-1, 12)


def _bass_chroma(
    notes: Sequence[Note], edges: NDArray[np.float64], bar_of: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(P, 12): weight of each pulse's lowest note, 1 near the bar's lowest note and 0.2 on afterbeats."""
    pulse, pitch, overlap = _spread(notes, edges)
    solid = overlap > 0.1
    pulse, pitch = pulse[solid], pitch[solid]
    low = np.full(len(edges) - 1, 999)
    np.minimum.at(low, pulse, pitch)
    bar_low = np.full(bar_of[-1] + 1, 999)
    np.minimum.at(bar_low, bar_of, low)
    weight = np.where(low - bar_low[bar_of] <= 9, 1.0, 0.2)
    result = np.zeros((len(low), 12))
    heard = low < 999
    result[np.nonzero(heard)[0], low[heard] % 12] = weight[heard]
    return result


@cache
def _templates() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Log-probabilities (C, 12) of a sounding and of a bass pitch class, and the rarity (C,)."""
    tone, bass, rarity = [], [], []
    for quality, steps in QUALITIES.items():
        for root in range(12):
            p = np.full(12, 0.13 / (12 - len(steps)))
            p[[(root + s) % 12 for s in steps]] = 0.87 / len(steps)
            b = np.full(12, 0.12 / (12 - len(steps)))
            b[[(root + s) % 12 for s in steps]] = np.array([0.58, 0.17, 0.09, 0.04])[: len(steps)]
            tone.append(np.log(p))
            bass.append(np.log(b))
            rarity.append(_RARITY[quality])
    return np.array(tone), np.array(bass), np.array(rarity)


def _log_likelihood(
    chroma: NDArray[np.float64], lowest: NDArray[np.float64], song: Song
) -> NDArray[np.float64]:
    """(P, C): log-likelihood of each chord in each pulse; zero where nothing sounds."""
    tone, bass, rarity = _templates()
    total = chroma.sum(axis=1, keepdims=True)
    # Square root, because a doubled note is not twice the evidence and one long note must not dominate.
    shape = np.sqrt(chroma)
    shape /= np.maximum(shape.sum(axis=1, keepdims=True), 1e-9)
    weight = np.minimum(total, 1.0)
    scale = {0, 2, 4, 5, 7, 9, 11} if song.key.mode == "major" else {0, 2, 3, 5, 7, 8, 10, 11}
    outside = np.array([(root - song.key.tonic) % 12 not in scale for _ in QUALITIES for root in range(12)])
    prior = -rarity - 0.3 * outside
    result: NDArray[np.float64] = weight * (_EVIDENCE_PULSES * shape @ tone.T + prior) + 0.8 * lowest @ bass.T
    return result


def _change_cost(pulse: int, pulses: int) -> float:
    if pulse == 0:
        return _CHANGE["bar"]
    return _CHANGE["half" if pulses % 2 == 0 and pulse == pulses // 2 else "pulse"]


def _arrival(scores: NDArray[np.floating], cost: float) -> Arrival:
    """Every chord goes on, or follows the best of all at ``cost``."""
    own = np.arange(len(scores))
    best = np.full_like(own, scores.argmax())
    return from_options(scores, np.stack([own, best]), np.array([0.0, cost]))


def _merged(
    path: NDArray[np.int64],
    lowest: NDArray[np.float64],
    edges: NDArray[np.float64],
    bar_of: NDArray[np.int64],
) -> tuple[Chord, ...]:
    """Merge runs of one chord; a bar with another chord tone in the bass begins a new chord."""
    names = tuple(QUALITIES)
    chords: list[Chord] = []
    t = 0
    while t < len(path):
        end = t + 1
        while end < len(path) and path[end] == path[t] and bar_of[end] == bar_of[t]:
            end += 1
        quality, root = names[path[t] // 12], int(path[t] % 12)
        tones = [(root + step) % 12 for step in QUALITIES[quality]]
        weights = lowest[t:end].sum(axis=0)[tones]
        bass = tones[int(weights.argmax())] if weights.any() else root
        last = chords[-1] if chords else None
        if last and (last.root, last.quality) == (root, quality) and (last.bass == bass or not weights.any()):
            chords[-1] = Chord(last.start_s, float(edges[end]), root, quality, last.bass)
        else:
            chords.append(Chord(float(edges[t]), float(edges[end]), root, quality, bass))
        t = end
    return tuple(chords)
