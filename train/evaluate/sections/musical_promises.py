"""Promises on the song sets, coherence, differing takes and charts with gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from train.evaluate.material.song_sets import FIRST, FIRST_TITLE, KINDS
from train.evaluate.sections.facts import Fact, number, percent, shown
from train.evaluate.sections.promise import NOT_MEASURED, Promise, Sections, judged

MIN_HARMONY = {FIRST: 0.56, "polish": 0.54, "popular": 0.62}
"""Minimum gap closed in harmony, by song set."""

MIN_RHYTHM = 0.7
CONSONANCE = {FIRST: (0.8, 1.15), "polish": (0.8, 1.15)}
"""Limits of the gap closed in consonance; none in four parts, where the lower voices avoid the tune."""

TITLES = {FIRST: FIRST_TITLE, **{name: title for name, (title, _) in KINDS.items()}}

MOST_NATS = 0.2
MOST_SEVENTHS = 0.05
MIN_ENDS = 0.95

MOST_HARMONY_ALIKE = 0.70
MOST_ONSETS_ALIKE = 0.45
MOST_LOST = 0.05

LEAST_GAIN_IN_GAPS = 0.05

Measure = Callable[[Any], tuple[float | None, str]]
Limit = tuple[str, Callable[[float], bool]]
"""What is asked, as text, and whether a value keeps it."""


def musical_promises(sections: Sections) -> list[Promise]:
    """The promises in the order of the report."""
    return [*_sets(sections), *_coherence(sections), *_takes(sections), *_gaps(sections)]


def _at_least(least: float) -> Limit:
    return f">= {least}", lambda value: value >= least


def _at_most(most: float, text: str = "") -> Limit:
    return text or f"<= {most}", lambda value: value <= most


def _between(low: float, high: float) -> Limit:
    return f"{low} to {high}", lambda value: low <= value <= high


def _near(distance: float) -> Limit:
    return f"within {distance}", lambda value: abs(value) <= distance


def _sets(sections: Sections) -> Iterator[Promise]:
    asked = [
        *((name, "harmony", _at_least(least)) for name, least in MIN_HARMONY.items()),
        *((name, "rhythm", _at_least(MIN_RHYTHM)) for name in TITLES),
        *((name, "consonance", _between(*limits)) for name, limits in CONSONANCE.items()),
    ]
    for name, metric, limit in asked:
        what = f"{TITLES[name]}: gap closed in {metric}"
        yield judged(sections, "sets", what, limit[0], _of_set(name, metric), limit[1])


def _of_set(name: str, metric: str) -> Measure:
    def measure(facts: Any) -> tuple[float | None, str]:
        if name not in facts["sets"]:
            return None, "no such songs"
        found = facts["sets"][name]["summary"][metric]
        words = f"{shown(found['gap_closed'])}, ceiling {_plain(found['ceiling'])}"
        return found["gap_closed"]["value"], words

    return measure


def _plain(found: Fact) -> str:
    return number(found["value"])


def _coherence(sections: Sections) -> Iterator[Promise]:
    def likelihood(facts: Any) -> tuple[float | None, str]:
        found, anchors = facts["all"]["played_minus_written"], facts["all"]["likelihood"]
        places = ", ".join(f"{name} {_plain(anchors[name])}" for name in ("played", "written", "shuffled"))
        return found["value"], f"{shown(found, sign=True)} ({places})"

    def sevenths(facts: Any) -> tuple[float | None, str]:
        found, share = facts["all"]["sevenths_minus_written"], facts["all"]["sevenths"]
        words = f"{shown(found, sign=True)} ({_plain(share['played'])}, written {_plain(share['written'])})"
        return found["value"], words

    def ends(facts: Any) -> tuple[float | None, str]:
        found = facts["all"]["ends"]
        return found["value"], f"{shown(found)}, n = {found['n']}"

    asked: list[tuple[str, Limit, Measure]] = [
        (
            "log-likelihood of a chord change against that of written songs, in nats",
            _near(MOST_NATS),
            likelihood,
        ),
        ("share of sevenths against that of written songs", _near(MOST_SEVENTHS), sevenths),
        ("songs that end on the tonic, of those whose written part does", _at_least(MIN_ENDS), ends),
    ]
    for what, (text, keeps), measure in asked:
        yield judged(sections, "coherence", f"coherence: {what}", text, measure, keeps)


def _takes(sections: Sections) -> Iterator[Promise]:
    lost = "gap closed that the best loses against the first (mean of the metrics)"
    asked: list[tuple[str, str, Limit]] = [
        ("harmony_alike", "harmony in common", _at_most(MOST_HARMONY_ALIKE)),
        ("onsets_alike", "onsets in common", _at_most(MOST_ONSETS_ALIKE)),
        ("lost_all", lost, _at_most(MOST_LOST, f"<= {MOST_LOST:.0%}")),
    ]
    for name, what, (text, keeps) in asked:
        yield judged(sections, "takes", f"three takes: {what}", text, _of_takes(name), keeps)


def _of_takes(name: str) -> Measure:
    written = percent if name.startswith("lost") else shown

    def measure(facts: Any) -> tuple[float | None, str]:
        if "differing" not in facts:  # facts of an earlier version
            return None, NOT_MEASURED
        found = facts["differing"][name]
        words = written(found)
        if "baseline" in facts:
            words += f"; {facts['baseline']['pack']}: {written(facts['baseline'][name])}"
        return found["value"], words

    return measure


def _gaps(sections: Sections) -> Iterator[Promise]:
    def gained(facts: Any) -> tuple[float | None, str]:
        found = facts["all"]["with_minus_without"]
        return found["value"], shown(found, sign=True)

    what = "charts with gaps: agreement in the gaps above that without the chart"
    text, keeps = _at_least(LEAST_GAIN_IN_GAPS)
    yield judged(sections, "gaps", what, text, gained, keeps)
