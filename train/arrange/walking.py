"""A bass that walks: one note a pulse, with the pitches of :mod:`appliance.music.walking_line`."""

from __future__ import annotations

import numpy as np

from appliance.music.walking_line import PITCHES, LineBeat, is_strong, walking_line
from train.arrange.band import Band
from train.arrange.context import Context
from train.arrange.grid import Bar

WALKS_FROM = 0.2
"""Below this phrase level the bass plays in two."""

SKIPS = 0.12
"""Probability of a skip: a soft repeat on the swung half of a weak beat."""

SKIPPED_S = 0.35
"""Shorter beats have no skips."""

JITTER = 0.35
"""Standard deviation of a random cost of each note, so that verses differ."""

Span = tuple[float, float]


def walk(band: Band, context: Context) -> None:
    """Play the bass of the song up to the last hold."""
    spans: list[Span] = []
    beats: list[LineBeat] = []
    for number, bar in enumerate(context.grid.bars):
        level = context.dynamics.phrase(number).level
        for span, beat in _beats(bar, context, band.hold_s, in_two=level < WALKS_FROM):
            spans.append(span)
            beats.append(beat)
    random = context.random
    jitter = np.array([[random.gauss(0.0, JITTER) for _ in range(PITCHES)] for _ in beats])
    line = walking_line(beats, context.song.key, jitter)
    for (start_s, end_s), beat, pitch in zip(spans, beats, line, strict=True):
        level = band.level(start_s) + (8 if beat.first else 4)
        skip = not beat.strong and end_s - start_s > SKIPPED_S and random.random() < SKIPS
        skip_s = start_s + band.swing * (end_s - start_s)
        band.add("bass", pitch, start_s, (skip_s if skip else end_s) - 0.02, level)
        if skip:
            band.add("bass", pitch, skip_s, end_s - 0.02, level - 12)


def _beats(bar: Bar, context: Context, hold_s: float, in_two: bool) -> list[tuple[Span, LineBeat]]:
    stride = max(1, bar.pulses // 2) if in_two else 1
    found = []
    for k in range(0, bar.pulses, stride):
        start_s, end_s = bar.pulses_s[k], bar.pulses_s[min(k + stride, bar.pulses)]
        if start_s >= hold_s - 0.01:
            break
        chord = context.harmony.at(start_s)
        fresh = abs(chord.start_s - start_s) < 0.02
        tones = frozenset(chord.pitch_classes)
        beat = LineBeat(tones, chord.bass, is_strong(k, bar.pulses), fresh, first=k == 0)
        found.append(((start_s, min(end_s, hold_s)), beat))
    return found
