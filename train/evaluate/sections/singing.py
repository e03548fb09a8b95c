"""Section: real singing, and whether its results suit it better than results for other singing do.

Real recordings have no written accompaniment, so there is no gap to close. Instead, the consonance of the
sung notes with the result is compared with that of results for other segments. Segments of one song share its
key, which makes them a harder anchor than other songs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile

from train.evaluate.judges.hearing import Heard
from train.evaluate.judges.sung_notes import notes_beside
from train.evaluate.material.pieces import Sung
from train.evaluate.measures.gap import Estimate, mean
from train.evaluate.measures.metrics import consonance
from train.evaluate.sections.facts import fact, shown, table
from train.evaluate.sections.section import Facts, Section
from train.evaluate.sections.setting import EvaluationSetting

SEEDS = 6
SEGMENT_S = 10.0
"""Maximum length of a segment; a recording is cut into equal parts."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a recording in its own audio file, with its sung notes in seconds from its start."""

    song: str
    vocal: Path
    duration_s: float
    sung: tuple[Sung, ...]


def measure(setting: EvaluationSetting) -> Facts:
    assert setting.vocals is not None
    segments, judges = [], {}
    for recording in sorted(setting.vocals.glob("*.wav")):
        notes, judges[recording.stem] = notes_beside(recording)
        segments += cut(recording, notes, setting.folder / "segments")
    renderers = [replace(setting.renderer, seed=setting.seed + k) for k in range(SEEDS)]
    setting.prepare([(segment, r) for r in renderers for segment in segments], "real singing")
    silence = [Heard(segment.duration_s, (), ()) for segment in segments]
    takes = [
        [setting.heard(s.vocal, r) or nothing for s, nothing in zip(segments, silence, strict=True)]
        for r in renderers
    ]
    rows = compared(segments, takes)
    return {
        "seeds": SEEDS,
        "notes_by": judges,
        "rows": [{"segment": s.vocal.stem, **row} for s, row in zip(segments, rows, strict=True)],
        **summary(segments, rows),
    }


def cut(recording: Path, notes: Sequence[Sung], folder: Path) -> list[Segment]:
    """Cut into equal parts of at most :data:`SEGMENT_S` with their clipped notes; drop parts without any."""
    info = soundfile.info(recording)
    count = max(1, int(np.ceil(info.duration / SEGMENT_S)))
    edges = [round(k * info.frames / count) for k in range(count + 1)]
    folder.mkdir(parents=True, exist_ok=True)
    segments = []
    for k, (first, last) in enumerate(pairwise(edges)):
        start_s, end_s = first / info.samplerate, last / info.samplerate
        sung = tuple(
            Sung(max(n.start_s, start_s) - start_s, min(n.end_s, end_s) - start_s, n.pitch)
            for n in notes
            if min(n.end_s, end_s) > max(n.start_s, start_s)
        )
        if not sung:
            continue
        samples, rate_hz = soundfile.read(recording, start=first, stop=last, dtype="float32")
        vocal = folder / f"{recording.stem}-{k + 1}.wav"
        soundfile.write(vocal, samples, rate_hz, subtype="PCM_24")
        segments.append(Segment(recording.stem, vocal, end_s - start_s, sung))
    return segments


def compared(segments: Sequence[Segment], takes: Sequence[Sequence[Heard]]) -> list[dict[str, float]]:
    """Consonance of each segment's sung notes, averaged over takes.

    ``ours``: with its own results; ``shuffled``: with results for all other segments; ``other_songs``: with
    results for segments of other songs, NaN if there are none.
    """
    rows = []
    for k, segment in enumerate(segments):
        scores = [[consonance(segment.sung, heard.notes) for heard in take] for take in takes]
        by_result = np.mean(scores, axis=0)
        others = np.array([j for j in range(len(segments)) if j != k], int)
        songs = [j for j in others if segments[j].song != segment.song]
        rows.append(
            {
                "ours": float(by_result[k]),
                "shuffled": float(by_result[others].mean()) if len(others) else float("nan"),
                "other_songs": float(by_result[songs].mean()) if songs else float("nan"),
            }
        )
    return rows


def summary(segments: Sequence[Segment], rows: Sequence[dict[str, float]]) -> Facts:
    """Means with intervals over segments; takes of a segment are averaged first."""

    def against(anchor: str) -> Estimate:
        return mean([row["ours"] - row[anchor] for row in rows])

    return {
        "segments": len(segments),
        "songs": len({segment.song for segment in segments}),
        "sung_s": round(sum(n.end_s - n.start_s for s in segments for n in s.sung), 1),
        "ours": fact(mean([row["ours"] for row in rows])),
        "shuffled": fact(mean([row["shuffled"] for row in rows])),
        "ours_minus_shuffled": fact(against("shuffled")),
        "ours_minus_other_songs": fact(against("other_songs")),
    }


def describe(facts: Facts) -> str:
    judges = ", ".join(f"{name}: {judge}" for name, judge in facts["notes_by"].items())
    pooled = (
        f"{facts['segments']} segments of {facts['songs']} recordings ({facts['sung_s']:g} s sung), "
        f"{facts['seeds']} seeds each, so n = {facts['segments'] * facts['seeds']} renders; judged as audio. "
        f"Sung notes: {judges}. Consonance of the sung notes is {shown(facts['ours'])} with the result and "
        f"{shown(facts['shuffled'])} with results for other segments: difference "
        f"**{shown(facts['ours_minus_shuffled'], sign=True)}**; against other songs alone "
        f"{shown(facts['ours_minus_other_songs'], sign=True)}. Intervals are over segments, which are few; "
        "seeds are averaged first."
    )
    columns = ("ours", "shuffled", "other_songs")
    rows = [
        [row["segment"], *("–" if row[c] is None else f"{row[c]:.2f}" for c in columns)]
        for row in facts["rows"]
    ]
    header = ("segment", "its own results", "other segments' results", "other songs' results")
    return pooled + "\n\n" + table(header, rows)


SINGING = Section("singing", "Real singing", measure, describe, needs=("vocals",))
