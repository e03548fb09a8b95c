"""Notes of real singing, from annotations if there are any, otherwise by swift-f0.

swift-f0 is a published pitch network that was not trained here. A few simple rules cut its pitch curve into
notes, so the appliance's own tracker does not judge the appliance.
"""

from __future__ import annotations

import csv
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from appliance.errors import MachineError
from train.evaluate.material.pieces import Sung

SHORTEST_S = 0.1
"""Minimum length of a note."""

SMOOTHING_S = 0.15
"""Length of the median filter on pitch, about one period of vibrato."""

VOICED = 0.5


def notes_beside(recording: Path) -> tuple[tuple[Sung, ...], str]:
    """The notes of a recording, and their source: ``annotated`` or ``swift-f0``.

    Annotations are in ``NAME_notesA1.csv`` beside the recording: start in seconds, frequency in Hz, length in
    seconds (the format of vocadito, Bittner et al. 2021).
    """
    annotated = recording.with_name(f"{recording.stem}_notesA1.csv")
    if annotated.is_file():
        with annotated.open(newline="") as lines:
            rows = [tuple(map(float, row)) for row in csv.reader(lines)]
        notes = tuple(Sung(start, start + length, round(_midi(hz))) for start, hz, length in rows)
        return notes, "annotated"
    return heard_notes(recording), "swift-f0"


def heard_notes(recording: Path) -> tuple[Sung, ...]:
    """The notes that swift-f0 hears.

    Raises:
        MachineError: ``swift-f0`` is not installed.
    """
    if find_spec("swift_f0") is None:
        raise MachineError(f"{recording}: the pitch judge is missing; run `pip install swift-f0`.")
    from swift_f0 import SwiftF0

    samples, rate_hz = soundfile.read(recording, dtype="float32", always_2d=True)
    heard = SwiftF0(threads=1).detect(samples.mean(axis=1), rate_hz)
    frame_s = float(np.median(np.diff(heard.timestamps)))
    pitch = np.where(heard.confidence >= VOICED, heard.pitch_hz, np.nan)
    return notes_of(pitch, frame_s, float(heard.timestamps[0]))


def notes_of(f0_hz: NDArray[np.float64], frame_s: float, first_s: float = 0.0) -> tuple[Sung, ...]:
    """Notes of a pitch curve (N,) with NaN where unvoiced: runs of one semitone after smoothing.

    The singer's tuning, the circular mean of the distances from a semitone, is removed first.
    """
    midi = 69.0 + 12.0 * np.log2(f0_hz / 440.0)
    sung = np.isfinite(midi)
    if not sung.any():
        return ()
    half = max(1, round(0.5 * SMOOTHING_S / frame_s))
    smooth = np.full(len(midi), np.nan)
    for k in np.flatnonzero(sung):
        near = midi[max(0, k - half) : k + half + 1]
        smooth[k] = np.nanmedian(near)
    smooth -= np.angle(np.exp(2j * np.pi * smooth[sung]).mean()) / (2 * np.pi)
    semitone = np.where(sung, np.round(np.nan_to_num(smooth)), -1).astype(int)
    edges = [0, *(np.flatnonzero(np.diff(semitone)) + 1), len(semitone)]
    return tuple(
        Sung(first_s + a * frame_s, first_s + b * frame_s, int(semitone[a]))
        for a, b in pairwise(edges)
        if semitone[a] >= 0 and (b - a) * frame_s >= SHORTEST_S
    )


def _midi(hz: float) -> float:
    return float(69.0 + 12.0 * np.log2(hz / 440.0))
