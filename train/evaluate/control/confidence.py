"""Reliability of the appliance's confidence in beats and key, by bins of confidence.

Beats are right if more than half of the song's beats have an estimated one within 70 ms and vice versa (by
F1; 70 ms is the usual tolerance of beat tracking contests). A key is right if its signature is, because the
model sees only that. Vocals come from the melody cache.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.composing.composer import listen, padded
from appliance.composing.wishes import Wishes
from appliance.music.beat_grid import TRUSTED, phases, trusted
from appliance.music.keys import Key
from appliance.music.score import BeatGrid
from train.data import song_cache
from train.evaluate.control.subjects import MUSIC, Composer
from train.evaluate.processes.progress import steps

TOLERANCE_S = 0.07
BINS = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)


def beats_right(grid: BeatGrid, truth_s: NDArray[np.floating]) -> bool:
    """Whether the F1 of estimated and true beats, matched within :data:`TOLERANCE_S`, exceeds a half."""
    if len(grid.beats_s) < 2 or len(truth_s) < 2:
        return False
    found = np.asarray(grid.beats_s)
    found = found[(found >= truth_s[0] - 0.1) & (found <= truth_s[-1] + 0.1)]
    if not len(found):
        return False
    near = np.abs(found[:, None] - truth_s) <= TOLERANCE_S
    recall, precision = near.any(axis=0).mean(), near.any(axis=1).mean()
    return bool(2 * recall * precision / max(recall + precision, 1e-9) > 0.5)


def signature(key: Key) -> int:
    """Tonic of the major key with the same key signature."""
    return key.tonic if key.mode == "major" else (key.tonic + 3) % 12


def measure_confidence(composer: Composer, runs: Path, split: str, count: int) -> dict[str, object]:
    """Reliability of beats and keys over ``count`` songs of the caches."""
    songs = song_cache.load_split(runs / "cache" / "songs", split)
    songs = [songs[k * len(songs) // count] for k in range(min(count, len(songs)))]
    rows = []
    for song in steps(songs, "confidence", lambda s: s.id):
        file = runs / "cache" / "melodies" / f"{song.id}.npy"

        def heard(file: Path = file, duration_s: float = song.duration_s) -> object:
            features = padded(np.load(file, mmap_mode="r")[0].astype(np.float32))
            reading = listen(composer.engine.graphs, features, duration_s, Wishes())
            grid, key = reading.grid, reading.key
            told = bool(phases(grid, 4).any())
            return [grid.beats_s, grid.confidence, key.tonic, key.mode, reading.key_confidence, told]

        asked = {"what": "reading", "pack": composer.engine.pack.sha256, "music": MUSIC, "song": song.id}
        beats, beat_confidence, tonic, mode, key_confidence, told = composer.store.get(asked, heard)
        grid = BeatGrid(tuple(beats), (), beat_confidence)
        right = beats_right(grid, np.asarray(song.grid.beats_s))
        key = Key(tonic, mode)
        rows.append(
            {
                "song": song.id,
                "beats": beat_confidence,
                "beats_right": right,
                "key": key_confidence,
                "signature_right": signature(key) == signature(song.key),
                "key_right": key == song.key,
                "told_beats": told,
                "trusted": trusted(grid),
            }
        )
    unsure = [row for row in rows if row["beats"] < TRUSTED]
    return {
        "songs": len(rows),
        "beats": _reliability([(row["beats"], row["beats_right"]) for row in rows]),
        "key": _reliability([(row["key"], row["signature_right"]) for row in rows]),
        "beats_right": float(np.mean([row["beats_right"] for row in rows])),
        "signature_right": float(np.mean([row["signature_right"] for row in rows])),
        "key_right": float(np.mean([row["key_right"] for row in rows])),
        "unsure_of_beats": len(unsure),
        "unsure_but_told": sum(bool(row["told_beats"]) for row in unsure),
        "rows": rows,
    }


def _reliability(pairs: list[tuple[float, bool]]) -> list[dict[str, float]]:
    """One row per bin of confidence: number of songs, mean confidence, share right."""
    table = []
    for low, high in pairwise(BINS):
        inside = [(c, r) for c, r in pairs if low <= c < high or (high == 1.0 and c == 1.0)]
        if inside:
            confidences, right = zip(*inside, strict=True)
            table.append(
                {
                    "from": low,
                    "to": high,
                    "songs": len(inside),
                    "confidence": float(np.mean(confidences)),
                    "right": float(np.mean(right)),
                }
            )
    return table
