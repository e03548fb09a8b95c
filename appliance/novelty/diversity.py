"""How different the takes of one request are, as an effective number of takes.

The Vendi score (Friedman and Dieng, arXiv 2210.02410) of n takes is 1 if all are alike and n if none has
anything in common. It is the exponential of the entropy of the eigenvalues of K/n, where K holds how similar
each two takes are. Takes of one request have the same bars, so they are compared moment by moment.

Letters: n takes, T moments, D numbers of a description.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from appliance.music.note_rows import DRUMS, note_rows
from appliance.music.rhythm_plan import HIGH_FROM, MIDDLE_FROM
from appliance.music.score import GROUPS, Score

HARMONY_S, RHYTHM_S, TEXTURE_S = 0.5, 0.0625, 1.0
"""Moments in which pitch classes sound, notes begin, and groups play in octaves."""

OCTAVES = 11

Array = NDArray[np.float64]


def vendi_score(similarities: Array) -> float:
    """The Vendi score of n things from their ``similarities`` (n, n), a positive semi-definite matrix of ones
    on the diagonal.

    >>> round(vendi_score(np.eye(3)), 6), round(vendi_score(np.ones((3, 3))), 6)
    (3.0, 1.0)
    """
    shares = np.linalg.eigvalsh(similarities / len(similarities))
    shares = shares[shares > 1e-12]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def diversity(takes: Sequence[Score]) -> float:
    """The Vendi score of ``takes``; two are as similar as their harmony, rhythm and texture are on average,
    each as the cosine of its description."""
    kinds = zip(*(_descriptions(take) for take in takes), strict=True)
    return vendi_score(np.mean([_cosines(np.stack(kind)) for kind in kinds], axis=0))


def _cosines(described: Array) -> Array:
    """Cosines between the rows of (n, D); two rows of nothing are alike."""
    lengths = np.linalg.norm(described, axis=1, keepdims=True)
    silent = lengths[:, 0] == 0.0
    scaled = described / np.where(lengths > 0.0, lengths, 1.0)
    cosines: Array = scaled @ scaled.T + np.outer(silent, silent)
    return cosines


def _descriptions(score: Score) -> tuple[Array, Array, Array]:
    """Harmony (12 T), rhythm (4 T) and texture (5 OCTAVES T) of a take, flattened, each in its own
    moments."""
    notes = np.asarray(note_rows(score), np.float64)
    start_s, end_s, pitch, group = notes[:, 0], notes[:, 1], notes[:, 2].astype(int), notes[:, 4].astype(int)
    pitched = group != DRUMS
    register = np.where(pitched, (pitch >= MIDDLE_FROM).astype(int) + (pitch >= HIGH_FROM), 3)
    harmony = _sounding(
        start_s[pitched], end_s[pitched], pitch[pitched] % 12, 12, HARMONY_S, score.duration_s
    )
    rhythm = np.zeros((4, _moments(RHYTHM_S, score.duration_s)))
    begins = np.clip(np.rint(start_s / RHYTHM_S).astype(int), 0, rhythm.shape[1] - 1)
    rhythm[register, begins] = 1.0
    rows = group * OCTAVES + np.minimum(pitch // 12, OCTAVES - 1)
    count = (len(GROUPS) + 1) * OCTAVES
    texture = _sounding(start_s, end_s, rows, count, TEXTURE_S, score.duration_s)
    return harmony.ravel(), rhythm.ravel(), texture.ravel()


def _moments(step_s: float, duration_s: float) -> int:
    return max(1, int(np.ceil(duration_s / step_s)))


def _sounding(
    start_s: Array, end_s: Array, rows: NDArray[np.int64], count: int, step_s: float, duration_s: float
) -> Array:
    """For how long each of ``count`` rows sounds in each moment, (count, T); together, not once."""
    sounding = np.zeros((count, _moments(step_s, duration_s)))
    for moment in range(sounding.shape[1]):
        first_s = moment * step_s
        overlaps = np.minimum(end_s, first_s + step_s) - np.maximum(start_s, first_s)
        sounding[:, moment] = np.bincount(rows, np.maximum(overlaps, 0.0), minlength=count)
    return sounding
