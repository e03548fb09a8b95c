"""``--style``: whether styles differ, in notes and in sound.

The sound is described by a few simple audio features. A style counts as recognised if an excerpt is nearest
to that style's centroid over the other songs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.score import DRUM_GROUP, Score
from train.band import render as play
from train.evaluate.control.subjects import Composer, Request, Subject
from train.evaluate.processes.progress import steps

FEATURES = ("centroid_octaves", "spread_octaves", "high_share", "low_share", "onsets_s", "flatness", "pulse")

Array = NDArray[np.floating]


def sound_features(sound: Array) -> list[float]:
    """:data:`FEATURES` of stereo samples (N, 2) at 44.1 kHz: spectral shape, onsets and level changes."""
    mono = sound.mean(axis=1)
    size, hop = 2048, 1024
    frames = np.lib.stride_tricks.sliding_window_view(mono, size)[::hop]
    power = np.abs(np.fft.rfft(frames * np.hanning(size), axis=1)) ** 2
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ)
    kept = (hz > 40) & (hz < 16_000)
    power, hz = power[:, kept], hz[kept]
    mean = power.mean(axis=0)
    share = mean / max(float(mean.sum()), 1e-12)
    octaves = np.log2(hz)
    centroid = float(share @ octaves)
    spread = float(np.sqrt(share @ (octaves - centroid) ** 2))
    loud = np.log10(power + 1e-6 * float(power.max() + 1e-12))
    flux = np.maximum(np.diff(loud, axis=0), 0.0).mean(axis=1)
    peaks = (flux[1:-1] > flux[:-2]) & (flux[1:-1] >= flux[2:]) & (flux[1:-1] > 2 * np.median(flux) + 1e-6)
    flatness = float(np.mean(np.exp(np.log(power + 1e-12).mean(axis=1)) / (power.mean(axis=1) + 1e-12)))
    level = np.sqrt(power.sum(axis=1))
    pulse = float(level.std() / max(float(level.mean()), 1e-12))
    high, low = float(share[hz > 4000].sum()), float(share[hz < 150].sum())
    onsets = float(peaks.sum()) / (len(mono) / SAMPLE_RATE_HZ)
    return [centroid, spread, np.log10(high + 1e-6), low, onsets, np.log10(flatness + 1e-9), pulse]


def leave_one_song_out(features: Array) -> tuple[float, NDArray[np.int64]]:
    """Share recognised and confusion matrix (S, S), each song classified from the other songs.

    ``features`` is (N, S, K): songs, styles, features.
    """
    songs, styles, _ = features.shape
    confusion = np.zeros((styles, styles), np.int64)
    for song in range(songs):
        others = np.delete(features, song, axis=0)
        scale = others.reshape(-1, features.shape[2]).std(axis=0) + 1e-9
        centroids = others.mean(axis=0)
        for style in range(styles):
            distance = (((features[song, style] - centroids) / scale) ** 2).sum(axis=1)
            confusion[style, int(distance.argmin())] += 1
    return float(np.trace(confusion) / confusion.sum()), confusion


def measure_styles(composer: Composer, subjects: Sequence[Subject]) -> dict[str, object]:
    """Notes, sound and recognition rate of each style."""
    styles = composer.engine.pack.manifest.styles
    heard = np.zeros((len(subjects), len(styles), len(FEATURES)))
    paper: dict[str, list[dict[str, float]]] = {style: [] for style in styles}
    groups: dict[str, set[str]] = {style: set() for style in styles}
    for k, subject in enumerate(steps(subjects, "styles", lambda s: s.name)):
        for s, style in enumerate(styles):
            asked = Request(style)
            score = composer.take(subject, asked).score
            paper[style].append(_note_statistics(score))
            groups[style] |= set(score.groups())

            def judge(score: Score = score, style: str = style) -> object:
                return sound_features(play(score, style, composer.engine.pack.soundfont_path))

            heard[k, s] = composer.judged("sound", subject, asked, judge)
    right, confusion = leave_one_song_out(heard)
    rows = []
    for s, style in enumerate(styles):
        means = {name: _mean([row[name] for row in paper[style]]) for name in paper[style][0]}
        by_ear = dict(zip(FEATURES, heard[:, s].mean(axis=0).tolist(), strict=True))
        recognised = float(confusion[s, s] / confusion[s].sum())
        players = ", ".join(sorted(groups[style]))
        rows.append({"style": style, "groups": players, **means, **by_ear, "recognised": recognised})
    return {"rows": rows, "recognised": right, "chance": 1 / len(styles), "confusion": confusion.tolist()}


def _mean(values: Sequence[float]) -> float:
    """Mean of the values that are not NaN; NaN if there are none."""
    known = [value for value in values if value == value]
    return sum(known) / len(known) if known else float("nan")


def _note_statistics(score: Score) -> dict[str, float]:
    pitched = [n for n in score.notes if n.group != DRUM_GROUP]
    return {
        "notes_s": len(score.notes) / score.duration_s,
        "median_pitch": float(np.median([n.pitch for n in pitched])) if pitched else float("nan"),
        "median_length_s": float(np.median([n.end_s - n.start_s for n in pitched]))
        if pitched
        else float("nan"),
    }
