"""Section: clean and degraded recordings of the same performances, judged as audio.

All degradations are given in dB; lower is worse:

- hum, babble: signal-to-noise ratio of the sung part;
- room: direct-to-reverberant energy ratio of a room with a reverberation time of 0.6 s;
- clipping: signal-to-distortion ratio.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import soundfile
from numpy.typing import NDArray

from appliance.files.whole import whole_file
from train.evaluate.evaluation import METRICS
from train.evaluate.material.pieces import Piece
from train.evaluate.processes.workers import ask_all
from train.evaluate.sections.differing import lost
from train.evaluate.sections.facts import fact, gaps, number, shown, table
from train.evaluate.sections.pictures import curves
from train.evaluate.sections.section import Facts, Section
from train.evaluate.sections.setting import SHORT_S, EvaluationSetting
from train.singer.augment import RecordingSettings, augment
from train.singer.noise import add_noise

Spoiling = Literal["hum", "babble", "room", "clipping"]
SPOILINGS: tuple[Spoiling, ...] = get_args(Spoiling)
LEVELS_DB = (20, 10, 5)
ROOM_RT60_S = 0.6
SHARE = 1

Audio = NDArray[np.float32]


def measure(setting: EvaluationSetting) -> Facts:
    pieces = setting.pieces(SHARE, SHORT_S)
    clean = setting.judged(pieces, setting.renderer)
    every = [(kind, level_db) for kind in SPOILINGS for level_db in LEVELS_DB]
    folders = {(kind, db): setting.folder / "spoiled" / f"{kind}-{db}" for kind, db in every}
    jobs = [(p.vocal, folders[c] / p.vocal.name, *c) for c in every for p in pieces]
    missing = [job for job in jobs if not job[1].is_file()]
    ask_all(_write, missing, "spoiling", lambda job: job[0].stem, setting.workers)
    spoiled = {c: [with_vocal(piece, folders[c]) for piece in pieces] for c in every}
    renders = [(piece, setting.renderer) for c in every for piece in spoiled[c]]
    setting.prepare(renders, "noise, rooms, clipping")
    conditions: dict[str, dict[str, Facts]] = {kind: {} for kind in SPOILINGS}
    for kind, level_db in every:
        found = setting.judged(spoiled[kind, level_db], setting.renderer)
        conditions[kind][str(level_db)] = {
            "gap_closed": gaps(found),
            "drop": {metric: fact(lost(found, clean, metric)) for metric in METRICS},
            "refused": len(found.failures),
        }
    return {"songs": len(pieces), "seconds": SHORT_S, "clean": gaps(clean), "conditions": conditions}


def with_vocal(piece: Piece, folder: Path) -> Piece:
    """The piece with the vocal of the same file name in ``folder``."""
    return Piece(
        piece.id, folder / piece.vocal.name, piece.duration_s, piece.sung, piece.written, piece.bars_s
    )


def spoil(audio: Audio, rate_hz: int, kind: Spoiling, level_db: float, rng: np.random.Generator) -> Audio:
    """Mono ``audio`` (S,) degraded by ``kind`` at ``level_db``; returns (S,)."""
    if kind in ("hum", "babble"):
        return add_noise(audio, rate_hz, kind, level_db, rng)
    if kind == "room":
        quieter = 0.5 * audio  # so that peaks added by reverberation do not clip
        room = RecordingSettings(rt60_s=ROOM_RT60_S, direct_to_reverb_db=level_db)
        return augment(quieter, rate_hz, room, rng)
    return clipped(audio, level_db)


def clipped(audio: Audio, distortion_db: float) -> Audio:
    """``audio`` (S,) clipped so that its signal-to-distortion ratio is ``distortion_db``.

    Distortion is the part that is cut off. The clipping level is found by bisection.
    """
    size = np.abs(audio).astype(np.float64)
    allowed = float(np.square(size).sum()) * 10.0 ** (-distortion_db / 10.0)
    low, high = 0.0, float(size.max(initial=0.0))
    for _ in range(40):
        ceiling = 0.5 * (low + high)
        if float(np.square(np.maximum(size - ceiling, 0.0)).sum()) > allowed:
            low = ceiling
        else:
            high = ceiling
    return np.clip(audio, -high, high)


def _write(job: tuple[Path, Path, Spoiling, int]) -> None:
    """Degrade one vocal; the same vocal, kind and level give the same bytes."""
    source, target, kind, level_db = job
    audio, rate_hz = soundfile.read(source, dtype="float32")
    rng = np.random.default_rng([zlib.crc32(source.stem.encode()), SPOILINGS.index(kind), level_db])
    spoiled = spoil(audio, rate_hz, kind, level_db, rng)
    target.parent.mkdir(parents=True, exist_ok=True)
    peak = float(np.abs(spoiled).max(initial=0.0))
    with whole_file(target) as file:
        soundfile.write(file.name, spoiled / max(1.0, peak / 0.99), rate_hz, format="WAV", subtype="PCM_24")


def describe(facts: Facts) -> str:
    rows = [["clean", "", *(shown(facts["clean"][m]) for m in METRICS), "", "", "", ""]]
    for kind, levels in facts["conditions"].items():
        for level_db, found in levels.items():
            gap, lost = found["gap_closed"], found["drop"]
            drops = [f"{number(_percent(lost[m]['value']), 0, True)} %" for m in METRICS]
            rows.append([kind, level_db, *(shown(gap[m]) for m in METRICS), *drops, str(found["refused"])])
    header = ("recording", "dB", *METRICS, *(f"{m} lost" for m in METRICS), "refused")
    return (
        f"{facts['songs']} songs of {facts['seconds']:g} s, judged as audio. Lost is the share of the clean "
        "gap closed that is missing (negative: gained), with paired songs and the anchors of the clean "
        "results. Hum and babble: signal-to-noise ratio of the sung part. Room: direct-to-reverberant ratio "
        f"with a reverberation time of {ROOM_RT60_S:g} s. Clipping: signal-to-distortion ratio.\n\n"
        + table(header, rows)
    )


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def draw(facts: Facts, file: Path) -> None:
    panels = {
        metric: {
            kind: {
                "clean": facts["clean"][metric],
                **{f"{level} dB": found["gap_closed"][metric] for level, found in levels.items()},
            }
            for kind, levels in facts["conditions"].items()
        }
        for metric in METRICS
    }
    curves(panels, "", "gap closed", file)


NOISE = Section("noise", "Noise, rooms, clipping", measure, describe, draw)
