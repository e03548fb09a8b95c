"""Transcribes notes from audio by basic-pitch, a published network that was not trained here.

Only the network is used (``nmp.onnx`` in the ``basic-pitch`` package), because the package's code needs
TensorFlow. Windows are a whole number of frames apart, so that all frames lie on one grid.

Bittner et al., ICASSP 2022, arXiv 2203.09893.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from appliance.errors import MachineError
from train.evaluate.judges.note_creation import create_notes

JUDGE_VERSION = "basic-pitch-icassp-2022/1"
"""Part of every question to the store: raise the last number when a change below affects the notes."""

RATE_HZ = 22_050
HOP_SAMPLES = 256
WINDOW_SAMPLES = 2 * RATE_HZ - HOP_SAMPLES
WINDOW_FRAMES = 172
EDGE_FRAMES = 15
"""Frames at both ends of a window that are dropped for lack of context."""

KEPT_FRAMES = 141
"""Frames of a window that are used; also the distance between windows."""

BATCH_WINDOWS = 8


@dataclass(frozen=True, order=True, slots=True)
class HeardNote:
    """A transcribed note; ``confidence`` is its mean activation, from 0 to 1."""

    start_s: float
    end_s: float
    pitch: int
    confidence: float


def transcribe(audio: NDArray[np.float32], rate_hz: int) -> tuple[HeardNote, ...]:
    """The notes heard in a recording, in time order.

    Shape: ``audio`` is (N,) mono or (N, C), N samples of C channels at ``rate_hz``.

    Raises:
        MachineError: ``onnxruntime`` or ``basic-pitch`` is not installed.
    """
    mono = audio if audio.ndim == 1 else audio.mean(axis=1)
    at_judge_rate = soxr.resample(np.ascontiguousarray(mono, np.float32), rate_hz, RATE_HZ)
    notes, onsets = activations(np.asarray(at_judge_rate, np.float32))
    frame_s = HOP_SAMPLES / RATE_HZ
    return tuple(
        HeardNote(start * frame_s, end * frame_s, pitch, confidence)
        for start, end, pitch, confidence in create_notes(notes, onsets)
    )


def activations(audio: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Note and onset activations of a mono recording at 22.05 kHz.

    Shape: (N,) -> two arrays (T, 88), T = ceil(N / 256); frame t is centred on sample 256 t.
    """
    frames = -(-len(audio) // HOP_SAMPLES)
    windows = -(-frames // KEPT_FRAMES)
    hop = KEPT_FRAMES * HOP_SAMPLES
    before = EDGE_FRAMES * HOP_SAMPLES
    padded = np.zeros(before + (windows - 1) * hop + WINDOW_SAMPLES, np.float32)
    padded[before : before + len(audio)] = audio[: len(padded) - before]
    notes = np.zeros((windows, KEPT_FRAMES, 88), np.float32)
    onsets = np.zeros_like(notes)
    kept = slice(EDGE_FRAMES, EDGE_FRAMES + KEPT_FRAMES)
    for first in range(0, windows, BATCH_WINDOWS):
        last = min(windows, first + BATCH_WINDOWS)
        batch = np.stack([padded[w * hop : w * hop + WINDOW_SAMPLES] for w in range(first, last)])
        heard = _network().run(
            ["StatefulPartitionedCall:1", "StatefulPartitionedCall:2"],
            {"serving_default_input_2:0": batch[..., None]},
        )
        notes[first:last] = heard[0][:, kept]
        onsets[first:last] = heard[1][:, kept]
    return notes.reshape(-1, 88)[:frames], onsets.reshape(-1, 88)[:frames]


@cache
def _network() -> Any:
    """The network, with one thread because several processes judge at the same time."""
    package = find_spec("basic_pitch")
    if package is None or package.origin is None or find_spec("onnxruntime") is None:
        raise MachineError(
            "The note judge is missing; install it with `pip install --no-deps basic-pitch` and "
            "`pip install onnxruntime`."
        )
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    weights = Path(package.origin).parent / "saved_models" / "icassp_2022" / "nmp.onnx"
    return onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
