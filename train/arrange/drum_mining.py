"""Mines ``drummers.json`` from human drumming: ``python -m train.arrange.drum_mining CORPUS2``.

A groove is what a drummer plays in most bars of a take: the strokes, on a grid of four or three steps a
beat, that at least :data:`USUAL` of its bars have. With it go a few bars as they were really played: how far
each stroke lies from its step, and its velocity. Only takes of the training split are read. The takes of each
style are named here because most takes are improvisations: few of them keep a pattern.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, linear_regression, median
from typing import Any

from appliance.files.whole import write_whole
from train.arrange.drummer import DRUMMERS_FILE
from train.corpus.drumming import STEPS_PER_BAR, DrumBar, DrumTake, Stroke, read_take
from train.corpus.ledger import LedgerRow, read_ledger

BEATS = 4
USUAL = 0.45
"""Least share of a take's bars in which a stroke belongs to its groove."""

GHOST = 40
"""Softer strokes are ghost notes: they decorate a groove and do not belong to it."""

LATEST = 8
"""Greatest distance from a step that is kept, in hundredths of a beat: further off, a stroke is a slip."""

PLAYED_BARS = 6
"""Bars of a take that are kept as they were played."""

MOST_FILLS = 6
LEAST_FILL_STROKES = 4
FILL_DRUMS = (38, 45, 50)
"""Snare and toms: a fill is played on these."""

TAKES: Mapping[str, tuple[str, ...]] = {
    "pop": (
        "drummer8_eval_session_9", "drummer8_eval_session_10", "drummer1_eval_session_4",
        "drummer8_eval_session_7",
    ),
    "folk": ("drummer7_session2_80",),
    "jazz": ("drummer1_session1_48", "drummer1_session1_47", "drummer1_session1_52", "drummer1_session1_77"),
    "bossa": ("drummer5_session1_1", "drummer5_session1_2"),
    "ballad": ("drummer8_eval_session_8", "drummer8_session1_23", "drummer8_eval_session_4"),
    "gospel": ("drummer1_session2_142", "drummer8_eval_session_10", "drummer8_eval_session_9"),
    "reggae": ("drummer1_session1_184", "drummer1_session1_201"),
    "funk": (
        "drummer8_eval_session_2", "drummer8_session1_6", "drummer8_eval_session_5",
        "drummer7_eval_session_1",
    ),
    "country": ("drummer1_session2_10", "drummer7_session2_80"),
    "latin": ("drummer8_session2_35", "drummer8_session2_34", "drummer1_session1_145"),
}  # fmt: skip
"""Takes of the grooves of each style, without the ledger's prefix ``gm_``."""

FILL_STYLES: Mapping[str, tuple[str, ...]] = {
    "pop": ("pop", "soul"),
    "jazz": ("jazz",),
    "bossa": ("latin",),
    "ballad": ("rock", "soul"),
    "gospel": ("gospel",),
    "reggae": ("reggae",),
    "funk": ("funk",),
    "country": ("country",),
    "latin": ("latin", "afrocuban"),
}
"""Styles of the recorded fills that each of our styles takes."""

SWINGING = (
    "drummer1_session1_48", "drummer1_session1_47", "drummer10_session1_1", "drummer1_session1_49",
    "drummer1_session1_52", "drummer1_session3_5", "drummer1_session1_77", "drummer1_session3_4",
    "drummer1_session3_2", "drummer10_session1_3", "drummer1_session1_78",
)  # fmt: skip
"""Takes of which the swing is measured: jazz with a ride cymbal, from 93 to 290 beats a minute."""

SWUNG = ("jazz",)
"""Styles that play on thirds of a beat; the others play on quarters."""


def mined(takes: Sequence[tuple[LedgerRow, DrumTake]]) -> dict[str, Any]:
    """The contents of the file from all training ``takes`` with their ledger rows."""
    by_id = {row.id.removeprefix("gm_"): (row, take) for row, take in takes}
    used: dict[str, LedgerRow] = {}
    grooves: dict[str, list[dict[str, Any]]] = {}
    for style, names in TAKES.items():
        grooves[style] = []
        for name in names:
            row, take = by_id[name]
            used[row.id] = row
            grooves[style].append({"take": row.id, "bpm": take.bpm} | _groove(take, _per_beat(style)))
    fills: dict[str, list[dict[str, Any]]] = {}
    for style, wanted in FILL_STYLES.items():
        found = [
            {"take": row.id, "strokes": strokes}
            for row, take in takes
            if take.is_fill and take.style in wanted and (strokes := _fill(take, _per_beat(style)))
        ]
        fills[style] = found[:: max(1, len(found) // MOST_FILLS)][:MOST_FILLS]
        for fill in fills[style]:
            used[fill["take"]] = next(row for row, _ in takes if row.id == fill["take"])
    for name in SWINGING:
        used[by_id[name][0].id] = by_id[name][0]
    return {
        "about": "Grooves, timing and velocities of human drummers, mined by train/arrange/drum_mining.py",
        "attribution": next(iter(used.values())).attribution,
        "licence": "CC-BY-4.0",
        "takes": {row.id: row.sha256 for row in sorted(used.values(), key=lambda r: r.id)},
        "grooves": grooves,
        "fills": fills,
        "swing": _swing_by_tempo([by_id[name][1] for name in SWINGING]),
    }


def _per_beat(style: str) -> int:
    return 3 if style in SWUNG else 4


def _groove(take: DrumTake, per_beat: int) -> dict[str, Any]:
    """``strokes`` [step, drum] of the take's groove, and ``played``: for each kept bar and stroke how far it
    lies from its step, in hundredths of a beat, and its velocity."""
    lag = _lag(take, per_beat)
    bars = [_by_step(bar, per_beat, lag) for bar in take.bars]
    counts = Counter(place for bar in bars for place, (_, velocity) in bar.items() if velocity >= GHOST)
    strokes = sorted(place for place, count in counts.items() if count >= USUAL * len(bars))
    typical = {
        place: (
            round(fmean(bar[place][0] for bar in bars if place in bar)),
            round(fmean(bar[place][1] for bar in bars if place in bar)),
        )
        for place in strokes
    }
    chosen = sorted(range(len(bars)), key=lambda k: (-sum(place in bars[k] for place in strokes), k))
    played = [[list(bars[k].get(p, typical[p])) for p in strokes] for k in sorted(chosen[:PLAYED_BARS])]
    return {"per_beat": per_beat, "strokes": [list(place) for place in strokes], "played": played}


def _lag(take: DrumTake, per_beat: int) -> float:
    """How far a take lies behind its click, in beats: the mean over the strokes on beats.

    It says more of the recording than of the drummer, and would tear drums and band apart.
    """
    places = [_beats(stroke) for bar in take.bars for stroke in bar.strokes]
    late = [place - round(place) for place in places if abs(place - round(place)) < 0.5 / per_beat]
    return fmean(late) if late else 0.0


def _beats(stroke: Stroke) -> float:
    """Place in the bar in beats, as played."""
    return (stroke.step + stroke.offset) * BEATS / STEPS_PER_BAR


def _by_step(bar: DrumBar, per_beat: int, lag: float) -> dict[tuple[int, int], tuple[int, int]]:
    """Offset in hundredths of a beat and velocity of the loudest stroke by (step, drum)."""
    result: dict[tuple[int, int], tuple[int, int]] = {}
    for stroke in bar.strokes:
        beats = _beats(stroke) - lag
        step = round(beats * per_beat)
        place = (step, stroke.drum)
        if 0 <= step < BEATS * per_beat and stroke.velocity > result.get(place, (0, 0))[1]:
            late = round(100 * (beats - step / per_beat))
            result[place] = (min(max(late, -LATEST), LATEST), stroke.velocity)
    return result


def _fill(take: DrumTake, per_beat: int) -> list[list[int]]:
    """The last two beats of a fill as [step, drum, offset, velocity], steps from their start; [] if they are
    not played on snare and toms."""
    best: list[list[int]] = []
    lag = _lag(take, per_beat)
    for bar in take.bars:
        half = BEATS * per_beat // 2
        strokes = [
            [step - half, drum, offset, velocity]
            for (step, drum), (offset, velocity) in sorted(_by_step(bar, per_beat, lag).items())
            if step >= half and velocity >= GHOST
        ]
        if sum(drum in FILL_DRUMS for _, drum, _, _ in strokes) > sum(s[1] in FILL_DRUMS for s in best):
            best = strokes
    return best if sum(drum in FILL_DRUMS for _, drum, _, _ in best) >= LEAST_FILL_STROKES else []


def _swing_by_tempo(takes: Sequence[DrumTake]) -> list[list[float]]:
    """Swing at the slowest and the fastest tempo of ``takes``, on the line that fits them best."""
    tempi = [take.bpm for take in takes]
    fit = linear_regression(tempi, [_swing(take) for take in takes])
    return [[bpm, round(fit.intercept + fit.slope * bpm, 3)] for bpm in (min(tempi), max(tempi))]


def _swing(take: DrumTake) -> float:
    """Where the ride cymbal's second eighth lies in the beat: 0.5 is even, 0.667 a triplet."""
    found, lag = [], _lag(take, per_beat=3)
    for bar in take.bars:
        for stroke in bar.strokes:
            part = (_beats(stroke) - lag) % 1.0
            if stroke.drum == 51 and 0.45 < part < 0.8:
                found.append(part)
    return round(median(found), 3)


def read_takes(corpus: Path) -> Iterable[tuple[LedgerRow, DrumTake]]:
    """The named takes and all fills in 4/4 of the training split, in the ledger's order."""
    named = {f"gm_{name}" for names in (*TAKES.values(), SWINGING) for name in names}
    for row in read_ledger(corpus):
        if row.role == "drums" and row.split == "train" and (row.id in named or row.kind == "drum fill"):
            take = read_take(corpus, row)
            if take.meter == (4, 4):
                yield row, take


def as_text(contents: Mapping[str, Any]) -> str:
    """JSON with one groove or fill a line."""
    lines = []
    for key, value in contents.items():
        if key in ("grooves", "fills"):
            styles = []
            for style, entries in value.items():
                inside = ",\n   ".join(json.dumps(entry, separators=(",", ":")) for entry in entries)
                styles.append(f"  {json.dumps(style)}: [\n   {inside}]")
            lines.append(f" {json.dumps(key)}: {{\n" + ",\n".join(styles) + "\n }")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    """Mine the corpus and write the file beside this module."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    contents = mined(list(read_takes(parser.parse_args().corpus)))
    write_whole(DRUMMERS_FILE, as_text(contents).encode())
    for style, grooves in contents["grooves"].items():
        print(f"{style}: {len(grooves)} grooves, {len(contents['fills'].get(style, []))} fills")


if __name__ == "__main__":
    main()
