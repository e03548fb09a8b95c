"""Harmony and consonance of an accompaniment, each from 0 to 1, computed from lists of notes.

A note is anything with ``start_s``, ``end_s`` and ``pitch`` (written, sung, decoded or transcribed). If a
song has nothing to compare with (nothing written or nothing sung), the value is NaN and the song is left out.
A silent *result* has harmony and consonance 0. The third metric, rhythm, is :func:`train.data.rhythm.rhythm`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from train.corpus.timeline import Sounding, chroma

HARMONY_WINDOW_S = 0.5
CONSONANCE_TOLERANCE_S = 0.1


def pitch_class_vectors(
    notes: Iterable[Sounding], duration_s: float, window_s: float = HARMONY_WINDOW_S
) -> NDArray[np.float64]:
    """Seconds that each pitch class sounds in each window; simultaneous notes add up.

    Shape: (W, 12), W = ceil(duration_s / window_s) windows from 0 s, pitch classes from C. The last window
    ends at ``duration_s``; nothing outside counts.
    """
    windows = max(0, int(np.ceil(duration_s / window_s - 1e-9)))
    edges_s = np.minimum(np.arange(windows + 1) * window_s, duration_s)
    return chroma(notes, edges_s)


def harmony(result: Iterable[Sounding], written: Iterable[Sounding], duration_s: float) -> float:
    """Cosine similarity of 0.5 s pitch-class vectors, averaged over the windows where both sound.

    0.0 if there is no such window; NaN if nothing is written. Windows in which only one sounds do not count;
    :func:`coverage` shows how many the result leaves silent.
    """
    ours = pitch_class_vectors(result, duration_s)
    theirs = pitch_class_vectors(written, duration_s)
    if not theirs.any():
        return float("nan")
    both = ours.any(axis=1) & theirs.any(axis=1)
    if not both.any():
        return 0.0
    a, b = ours[both], theirs[both]
    cosine = (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    return float(cosine.mean())


def coverage(result: Iterable[Sounding], written: Iterable[Sounding], duration_s: float) -> float:
    """Share of the 0.5 s windows with written notes in which the result sounds; NaN if nothing is written."""
    ours = pitch_class_vectors(result, duration_s)
    theirs = pitch_class_vectors(written, duration_s)
    if not theirs.any():
        return float("nan")
    return float(np.mean(ours[theirs.any(axis=1)].any(axis=1)))


def consonance(
    sung: Iterable[Sounding], result: Iterable[Sounding], tolerance_s: float = CONSONANCE_TOLERANCE_S
) -> float:
    """Share of the sung time whose pitch class sounds in the result within ``tolerance_s``.

    0.0 for a silent result; NaN if nothing is sung.
    """
    sounding: list[list[tuple[float, float]]] = [[] for _ in range(12)]
    for note in sorted(result, key=lambda n: n.start_s):
        spans = sounding[note.pitch % 12]
        start, end = note.start_s - tolerance_s, note.end_s + tolerance_s
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    total = matched = 0.0
    for voice in sung:
        total += voice.end_s - voice.start_s
        for start, end in sounding[voice.pitch % 12]:
            matched += max(0.0, min(end, voice.end_s) - max(start, voice.start_s))
    return matched / total if total > 0.0 else float("nan")
