"""Promises on the song sets, coherence, differing takes and charts with gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from train.evaluate.material.song_sets import FIRST, FIRST_TITLE, KINDS
from train.evaluate.sections.facts import Fact, number, percent, shown
from train.evaluate.sections.promise import Promise, Sections, judged

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


def musical_promises(sections: Sections) -> list[Promise]:
    """The promises in the order of the report."""
    return [*_sets(sections), *_coherence(sections), *_takes(sections), *_gaps(sections)]


def _sets(sections: Sections) -> Iterator[Promise]:
    for name, least in MIN_HARMONY.items():
        what = f"{TITLES[name]}: gap closed in harmony"
        yield judged(
            sections, "sets", what, f">= {least}", _of_set(name, "harmony"), lambda v, m=least: v >= m
        )
    for name in TITLES:
        what = f"{TITLES[name]}: gap closed in rhythm"
        keeps = lambda value: value >= MIN_RHYTHM  # noqa: E731
        yield judged(sections, "sets", what, f">= {MIN_RHYTHM}", _of_set(name, "rhythm"), keeps)
    for name, (low, high) in CONSONANCE.items():
        what = f"{TITLES[name]}: gap closed in consonance"
        yield judged(
            sections, "sets", what, f"{low} to {high}", _of_set(name, "consonance"), _within(low, high)
        )


def _of_set(name: str, metric: str) -> Measure:
    def measure(facts: Any) -> tuple[float | None, str]:
        if name not in facts["sets"]:
            return None, "no such songs"
        found = facts["sets"][name]["summary"][metric]
        return found["gap_closed"][
            "value"
        ], f"{shown(found['gap_closed'])}, ceiling {_plain(found['ceiling'])}"

    return measure


def _plain(found: Fact) -> str:
    return number(found["value"])


def _within(low: float, high: float) -> Callable[[float], bool]:
    return lambda value: low <= value <= high


def _coherence(sections: Sections) -> Iterator[Promise]:
    def likelihood(facts: Any) -> tuple[float | None, str]:
        found, anchors = facts["all"]["played_minus_written"], facts["all"]["likelihood"]
        places = ", ".join(f"{name} {_plain(anchors[name])}" for name in ("played", "written", "shuffled"))
        return found["value"], f"{shown(found, sign=True)} ({places})"

    what = "coherence: log-likelihood of a chord change against that of written songs, in nats"
    yield judged(
        sections, "coherence", what, f"within {MOST_NATS}", likelihood, _within(-MOST_NATS, MOST_NATS)
    )

    def sevenths(facts: Any) -> tuple[float | None, str]:
        found, share = facts["all"]["sevenths_minus_written"], facts["all"]["sevenths"]
        words = f"{shown(found, sign=True)} ({_plain(share['played'])}, written {_plain(share['written'])})"
        return found["value"], words

    what = "coherence: share of sevenths against that of written songs"
    yield judged(
        sections,
        "coherence",
        what,
        f"within {MOST_SEVENTHS}",
        sevenths,
        _within(-MOST_SEVENTHS, MOST_SEVENTHS),
    )

    def ends(facts: Any) -> tuple[float | None, str]:
        found = facts["all"]["ends"]
        return found["value"], f"{shown(found)}, n = {found['n']}"

    what = "coherence: songs that end on the tonic, of those whose written part does"
    yield judged(sections, "coherence", what, f">= {MIN_ENDS}", ends, lambda value: value >= MIN_ENDS)


def _takes(sections: Sections) -> Iterator[Promise]:
    def of(name: str) -> Measure:
        def measure(facts: Any) -> tuple[float | None, str]:
            if "differing" not in facts:  # facts of an earlier version
                return None, "not measured"
            found = facts["differing"][name]
            words = percent(found) if name.startswith("lost") else shown(found)
            if "baseline" in facts:
                other = facts["baseline"][name]
                before = percent(other) if name.startswith("lost") else shown(other)
                words += f"; {facts['baseline']['pack']}: {before}"
            return found["value"], words

        return measure

    for name, what, most, asked in (
        ("harmony_alike", "three takes: harmony in common", MOST_HARMONY_ALIKE, f"<= {MOST_HARMONY_ALIKE}"),
        ("onsets_alike", "three takes: onsets in common", MOST_ONSETS_ALIKE, f"<= {MOST_ONSETS_ALIKE}"),
        ("lost_all", "three takes: gap closed that the best loses against the first (mean of the metrics)",
         MOST_LOST, f"<= {MOST_LOST:.0%}"),
    ):  # fmt: skip
        yield judged(sections, "takes", what, asked, of(name), lambda value, m=most: value <= m)


def _gaps(sections: Sections) -> Iterator[Promise]:
    def gained(facts: Any) -> tuple[float | None, str]:
        found = facts["all"]["with_minus_without"]
        return found["value"], shown(found, sign=True)

    what = "charts with gaps: agreement in the gaps above that without the chart"
    yield judged(
        sections, "gaps", what, f">= {LEAST_GAIN_IN_GAPS}", gained, lambda value: value >= LEAST_GAIN_IN_GAPS
    )
