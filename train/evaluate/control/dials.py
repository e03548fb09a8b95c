"""The dials: whether each moves what it is called after, nothing else as much, and leaves the chords alone.

Every song is shaped at five settings of every dial, and the attributes are measured on its notes; no audio.
Obedience to chords is the share of the pitched notes' time that belongs to the chord which the chart names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from appliance.composing.dials import TurnedDials, turn_dials
from appliance.composing.reading import Reading
from appliance.composing.wishes import Wishes
from appliance.grid import FRAMES_PER_PLAN
from appliance.music.chord_chart import Chart
from appliance.music.chord_names import parse_chord
from appliance.music.dials import DIALS
from appliance.music.score import DRUM_GROUP, STYLES, Score
from appliance.networks.condition_rows import PLAN_GIVEN, PLAN_PREDICTED
from train.evaluate.control.chords import written_chart
from train.evaluate.control.subjects import Composer, Request, Subject, Take
from train.evaluate.processes.progress import steps

SETTINGS = (-2.0, -1.0, 0.0, 1.0, 2.0)


def measure_dials(composer: Composer, subjects: Sequence[Subject]) -> dict[str, object]:
    """One row a dial; styles in turn. ``given`` repeats the edges of each dial with the written chart."""
    known = [style for style in STYLES if style in composer.engine.pack.manifest.styles]
    found = np.full((len(subjects), len(DIALS), len(SETTINGS), len(DIALS)), np.nan)
    plain: dict[str, list[float]] = {"heard": [], "given": []}
    turned: dict[str, list[list[float]]] = {"heard": [], "given": []}
    for k, subject in enumerate(steps(subjects, "dials", lambda s: s.name)):
        style = known[k % len(known)]
        chart = written_chart(subject)
        for name, asked in (("heard", Request(style)), ("given", Request(style, chart=chart))):
            take = composer.take(subject, asked)
            reading = _reading(subject, take, given=name == "given")
            plain[name].append(on_chords(take.score, take.chart))
            of_dials = []
            for d, dial in enumerate(DIALS):
                for s, setting in enumerate(SETTINGS):
                    if name == "given" and abs(setting) < max(SETTINGS):
                        continue
                    wishes = Wishes.model_validate({"style": style, dial: setting})
                    score, now, dials = turn_dials(composer.engine.pack, reading, take.score, wishes, 0)
                    of_dials.append(on_chords(score, now.chart))
                    if name == "heard" and isinstance(dials, TurnedDials):
                        found[k, d, s] = [dials.measured.get(other, np.nan) for other in DIALS]
            turned[name].append(of_dials)
    return {
        "rows": [_row(d, found[:, d]) for d in range(len(DIALS))],
        "settings": list(SETTINGS),
        "songs": len(subjects),
        "obedience": {
            name: {"plain": float(np.mean(plain[name])), "turned": float(np.mean(turned[name]))}
            for name in plain
        },
    }


def _row(d: int, found: NDArray[np.float64]) -> dict[str, Any]:
    """The facts of dial ``d``, from what was ``found`` (songs, settings, dials)."""
    own = found[:, :, d]
    settings = np.broadcast_to(np.array(SETTINGS), own.shape)
    moves = np.nanmean(np.abs(found[:, -1] - found[:, 0]), axis=0)
    others = {other: float(moves[o]) for o, other in enumerate(DIALS) if o != d}
    within = [found for row in own if (found := correlation(SETTINGS, row)) == found]
    most = max(others, key=lambda other: others[other])
    return {
        "dial": DIALS[d],
        "correlation": correlation(settings.ravel(), own.ravel()),
        "within_songs": float(np.mean(within)) if within else float("nan"),
        "levels": np.nanmean(own, axis=0).tolist(),
        "moves": float(moves[d]),
        "others": others,
        "most_moved_other": most,
        "most_moved_by": others[most],
    }


def correlation(settings: Sequence[float] | NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """Spearman's rank correlation of settings and what was found; NaN if that is always the same."""
    known = np.isfinite(found)
    if len(set(found[known].round(3))) < 2:
        return float("nan")
    return float(spearmanr(np.asarray(settings)[known], found[known].round(3)).statistic)


def on_chords(score: Score, chart: Chart) -> float:
    """Share of the pitched notes' time, where the chart has a chord, that belongs to the chord."""
    inside = total = 0.0
    for span in chart:
        chord = parse_chord(span.label)
        if chord is None:
            continue
        for note in score.notes:
            overlap_s = min(note.end_s, span.end_s) - max(note.start_s, span.start_s)
            if note.group != DRUM_GROUP and overlap_s > 0:
                total += overlap_s
                inside += overlap_s * (note.pitch % 12 in chord.pitch_classes)
    return inside / total if total else float("nan")


def _reading(subject: Subject, take: Take, given: bool) -> Reading:
    """As much of the reading of a stored take as the dials need."""
    no_plan = np.zeros((24, subject.features.shape[1] // FRAMES_PER_PLAN), np.float32)
    certainty = PLAN_GIVEN if given else PLAN_PREDICTED
    return Reading(
        subject.features,
        subject.duration_s,
        take.grid,
        take.key,
        take.key_confidence,
        no_plan,
        take.chart,
        certainty,
        fixed=take.chart if given else [],
    )
