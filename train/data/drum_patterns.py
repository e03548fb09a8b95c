"""Bars of human drumming, stored as one file, for bands and for the rhythm of drums.

Letters: B bars, S strokes, T takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from appliance.files.whole import whole_file
from train.corpus.drumming import DrumBar, DrumTake, Stroke, read_take
from train.corpus.ledger import LedgerRow


def build(
    sources: Iterable[tuple[Path, LedgerRow]], path: Path, on_done: Callable[[str], None] = lambda _: None
) -> int:
    """Read the takes of (corpus folder, ledger row) and store them at ``path``; returns the number of bars.

    Raises:
        LedgerError: a licence is not allowed, or a file is missing or altered.
    """
    takes = []
    for corpus, row in sources:
        takes.append(read_take(corpus, row))
        on_done(row.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        np.savez_compressed(file, **_arrays(takes))
    return sum(len(take.bars) for take in takes)


def _arrays(takes: Sequence[DrumTake]) -> dict[str, np.ndarray]:
    """``takes`` (T, 6): id, split, style, meter as "4/4", fill or beat, tempo.

    ``bars`` (B,): take of each bar. ``strokes`` (S, 5): bar, step, offset, drum, velocity.
    """
    facts = [
        (t.id, t.split, t.style, f"{t.meter[0]}/{t.meter[1]}", "fill" if t.is_fill else "beat", str(t.bpm))
        for t in takes
    ]
    bars = [(number, bar) for number, take in enumerate(takes) for bar in take.bars]
    strokes = [
        (index, s.step, s.offset, s.drum, s.velocity)
        for index, (_, bar) in enumerate(bars)
        for s in bar.strokes
    ]
    return {
        "takes": np.array(facts, np.str_).reshape(-1, 6),
        "bars": np.array([number for number, _ in bars], np.int32),
        "strokes": np.array(strokes, np.float32).reshape(-1, 5),
    }


def load(path: Path, split: str | None = None) -> list[DrumTake]:
    """The stored takes of a split, or of all splits.

    Raises:
        FileNotFoundError: they were not read; run ``python -m train drums``.
    """
    with np.load(path, allow_pickle=False) as arrays:
        facts, bars, strokes = arrays["takes"], arrays["bars"], arrays["strokes"]
    first = np.searchsorted(strokes[:, 0], np.arange(len(bars) + 1))
    by_take: list[list[DrumBar]] = [[] for _ in facts]
    for index, number in enumerate(bars):
        rows = strokes[first[index] : first[index + 1]]
        by_take[number].append(
            DrumBar(tuple(Stroke(int(r[1]), float(r[2]), int(r[3]), int(r[4])) for r in rows))
        )
    takes = []
    for (take_id, its_split, style, meter, kind, bpm), its_bars in zip(facts.tolist(), by_take, strict=True):
        count, unit = map(int, meter.split("/"))
        if split in (None, its_split):
            takes.append(
                DrumTake(
                    take_id, its_split, style, float(bpm), kind == "fill", (count, unit), tuple(its_bars)
                )
            )
    return takes
