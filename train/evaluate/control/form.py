"""Form of whole songs: playing in unsung bars, constant key, tempo and band, and no audible window joins.

A bar is unsung if no sung note sounds in its middle 90 %. It is played if pitched notes sound in at least a
quarter of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from appliance.composing.windows import song_windows
from appliance.grid import FRAME_RATE_HZ, FRAMES_PER_LATENT
from appliance.music.score import DRUM_GROUP, Note, Score
from train.evaluate.control.key_profile import heard_key
from train.evaluate.control.subjects import Composer, Request, Subject, with_silence
from train.evaluate.control.tempo import deviations_s
from train.evaluate.processes.progress import steps

PLAYED_SHARE = 0.25
SILENCE_S = 20.0
BESIDE_S = 1.0
STYLES_IN_TURN = ("piano", "pop", "strings", "folk")


def measure_form(composer: Composer, wholes: Sequence[Subject]) -> dict[str, object]:
    """One row per song; pooled shares; joins against other places; one song with silence around it."""
    rows, joins, places, doubled, doubled_else = [], [], [], [], []
    for k, subject in enumerate(steps(wholes, "whole songs", lambda s: s.name)):
        asked = Request(STYLES_IN_TURN[k % len(STYLES_IN_TURN)])
        take = composer.take(subject, asked)
        written = subject.notes(subject.song.written)
        rows.append(
            {
                "song": subject.song.id,
                "style": asked.style,
                "duration_s": subject.duration_s,
                **_played_bars(subject, take.score, written),
                **_thirds(subject, take.score, written, asked.style),
                "on_grid": _thirds_on_grid(take.score, take.grid.beats_s and take.grid),
            }
        )
        at, elsewhere = _densities(composer, subject, take.score)
        joins += at
        places += elsewhere
        found, total = _doubles(composer, subject, take.score)
        doubled.append(found)
        doubled_else.append(total)
    late = _late(composer, wholes[0])
    return {
        "rows": rows,
        "unsung_played": _pooled(rows, "unsung_played", "unsung_bars"),
        "unsung_written": _pooled(rows, "unsung_written", "unsung_bars"),
        "sung_played": _pooled(rows, "sung_played", "sung_bars"),
        "seams": _seams(joins, places, sum(doubled), sum(doubled_else)),
        "late": late,
    }


def _played_bars(subject: Subject, score: Score, written: Score) -> dict[str, float]:
    bars = subject.times(subject.song.bars_s)
    names = ("unsung_bars", "sung_bars", "unsung_played", "unsung_written", "sung_played")
    counts = dict.fromkeys(names, 0.0)
    voice = [(n.start_s - subject.first_s, n.end_s - subject.first_s) for n in subject.song.voice]
    for start_s, end_s in pairwise(bars):
        edge = 0.05 * (end_s - start_s)
        sung = any(a < end_s - edge and b > start_s + edge for a, b in voice)
        kind = "sung" if sung else "unsung"
        counts[f"{kind}_bars"] += 1
        counts[f"{kind}_played"] += _sounds(score.notes, start_s, end_s)
        if not sung:
            counts["unsung_written"] += _sounds(written.notes, start_s, end_s)
    return counts


def _sounds(notes: Sequence[Note], start_s: float, end_s: float) -> bool:
    until, total = start_s, 0.0
    for n in notes:  # in the order of their starts
        if n.group != DRUM_GROUP and n.end_s > until and n.start_s < end_s:
            begin = max(n.start_s, until)
            until = min(n.end_s, end_s)
            total += max(0.0, until - begin)
    return total >= PLAYED_SHARE * (end_s - start_s)


def _pooled(rows: Sequence[dict[str, object]], name: str, bars: str) -> float:
    total = sum(row[bars] for row in rows)  # type: ignore[misc]
    return sum(row[name] for row in rows) / total if total else float("nan")  # type: ignore[misc]


def _thirds(subject: Subject, score: Score, written: Score, style: str) -> dict[str, object]:
    """Number of thirds of the song that have the key of the whole song, and all of its groups."""

    def third(notes: Sequence[Note], k: int) -> list[Note]:
        start_s, end_s = k * score.duration_s / 3, (k + 1) * score.duration_s / 3
        return [n for n in notes if start_s <= n.start_s < end_s]

    def keys(notes: Sequence[Note]) -> int:
        pitched = [n for n in notes if n.group != DRUM_GROUP]
        whole = heard_key(pitched)
        return sum(heard_key(third(pitched, k)) == whole for k in range(3))

    band = set(score.groups())
    bands = sum({n.group for n in third(score.notes, k)} == band for k in range(3))
    return {
        "thirds_in_key": keys(score.notes),
        "written_in_key": keys(written.notes),
        "thirds_whole_band": bands,
    }


def _thirds_on_grid(score: Score, grid: object) -> list[float]:
    """Median distance in seconds from quarters and thirds of the beats, for each third of the song."""
    if not grid:
        return []
    found = []
    for k in range(3):
        start_s, end_s = k * score.duration_s / 3, (k + 1) * score.duration_s / 3
        onsets = [n.start_s for n in score.notes if start_s <= n.start_s < end_s]
        off = deviations_s(onsets, grid)  # type: ignore[arg-type]
        found.append(float(np.median(np.abs(off))) if len(off) else 0.0)
    return found


def join_times_s(composer: Composer, subject: Subject) -> list[float]:
    """Times in seconds at which a window's new part begins, after its context."""
    sampler = composer.engine.pack.manifest.sampler
    frames = subject.features.shape[1] // FRAMES_PER_LATENT
    windows = song_windows(frames, sampler.window_frames, sampler.context_frames)
    return [(w.first + w.known) * FRAMES_PER_LATENT / FRAME_RATE_HZ for w in windows[1:]]


def _densities(composer: Composer, subject: Subject, score: Score) -> tuple[list[float], list[float]]:
    """Change of note density (absolute log ratio of onsets) at each join, and at other places."""
    onsets = np.array([n.start_s for n in score.notes])

    def change(time_s: float) -> float:
        before = ((onsets >= time_s - BESIDE_S) & (onsets < time_s)).sum()
        after = ((onsets >= time_s) & (onsets < time_s + BESIDE_S)).sum()
        return float(abs(np.log((after + 1) / (before + 1))))

    joins = join_times_s(composer, subject)
    others = [
        t
        for t in np.arange(2.0, subject.duration_s - 2.0, 0.37).tolist()
        if all(abs(t - join) > 2 * BESIDE_S for join in joins)
    ]
    return [change(t) for t in joins], [change(t) for t in others]


def _doubles(composer: Composer, subject: Subject, score: Score) -> tuple[int, float]:
    """Number of pitches struck twice within 0.15 s across a join, and the number expected by chance."""
    joins = join_times_s(composer, subject)
    last: dict[tuple[str, int], float] = {}
    across, everywhere = 0, 0
    for note in score.notes:
        before = last.get((note.group, note.pitch))
        if before is not None and note.group != DRUM_GROUP and note.start_s - before < 0.15:
            everywhere += 1
            across += any(before < join <= note.start_s for join in joins)
        last[note.group, note.pitch] = note.start_s
    return across, everywhere * len(joins) * 0.15 / max(subject.duration_s, 1.0)


def _seams(joins: list[float], places: list[float], doubled: int, expected: float) -> dict[str, float]:
    """Permutation test: how often random places change the density at least as much as the joins."""
    rng = np.random.default_rng(0)
    mean = float(np.mean(joins)) if joins else 0.0
    drawn = rng.choice(places, (4000, max(len(joins), 1))).mean(axis=1)
    return {
        "joins": len(joins),
        "change_at_joins": mean,
        "change_elsewhere": float(np.mean(places)),
        "p": float((drawn >= mean).mean()),
        "doubled": doubled,
        "doubled_expected": expected,
    }


def _late(composer: Composer, subject: Subject) -> dict[str, float]:
    """Share of played seconds in 20 s of silence before and after the song."""
    longer = with_silence(subject, SILENCE_S, SILENCE_S)
    notes = composer.take(longer, Request()).score.notes
    intro = [_sounds(notes, k, k + 1.0) for k in np.arange(0.0, SILENCE_S - 1.0)]
    first = longer.duration_s - SILENCE_S
    outro = [_sounds(notes, first + k, first + k + 1.0) for k in np.arange(0.0, SILENCE_S - 1.0)]
    return {"intro_played": float(np.mean(intro)), "outro_played": float(np.mean(outro))}
