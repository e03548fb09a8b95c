"""The takes of a job: composed together, judged, tried again where they fit badly, best first.

A take belongs to its seed: whatever the others are, any of them can be rendered again alone with the
``--seed`` that its receipt names.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from appliance.composing.composer import Reading, compose, redraw, steps_of
from appliance.composing.fit import Fit, rated, song_value
from appliance.composing.wishes import Wishes
from appliance.music.beat_grid import phases
from appliance.music.score import Score
from appliance.networks.band_rows import band_rows
from appliance.networks.graphs import Graphs
from appliance.packs.pack import Pack
from appliance.system.threads import StoppedError

RETRY_SEED_STEP = 1_000_003
"""A take that fits badly is tried again with its seed plus this. Seeds from here on are not tried again:
they name a second try, and must give it again when they are asked for."""

Advance = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Take:
    """The notes of a take, the seed that gives them, and how they fit (None: the pack cannot tell).

    ``reading`` is the job's, with the harmony of this take.
    """

    seed: int
    reading: Reading
    score: Score
    fit: Fit | None
    retried: bool = False


def compose_takes(
    graphs: Graphs,
    pack: Pack,
    reading: Reading,
    wishes: Wishes,
    on_progress: Advance = lambda _: None,
) -> list[Take]:
    """The takes that ``wishes`` ask for, best fit first; those that fit alike stay in the order of seeds.

    A take below the pack's floor is tried once more with another seed and the better of the two is kept;
    it stays flagged as low where both are. ``on_progress`` gets shares of this work that add up to 1 at
    most (what a retry costs is not known beforehand). Takes are composed side by side, as many as the
    processor has cores for. With variety they differ in harmony too; they are judged beside the likeliest
    one all the same.
    """
    step = 1.0 / (wishes.takes * steps_of(pack, reading.features))
    graphs = graphs.for_lanes(wishes.takes)
    telling, stop = threading.Lock(), threading.Event()

    def go_on() -> None:
        if stop.is_set():
            raise StoppedError

    def advance() -> None:
        go_on()
        with telling:
            on_progress(step)

    def draw(seed: int, on_step: Callable[[], None]) -> Take:
        own = redraw(reading, seed, wishes.variety)
        score = compose(graphs, pack, own, wishes.style, seed, on_step)
        return Take(seed, own, score, fit_of(graphs, pack, reading, score))

    def draw_best(seed: int) -> Take:
        take = draw(seed, advance)
        if take.fit is not None and take.fit.low and seed < RETRY_SEED_STEP:
            again = draw(seed + RETRY_SEED_STEP, go_on)
            take = replace(max(take, again, key=_value), retried=True)
        return take

    with ThreadPoolExecutor(graphs.lanes, "take") as lanes:
        try:
            takes = list(lanes.map(draw_best, wishes.seeds))
        except BaseException:
            stop.set()  # Ctrl-C included: a take ends at its next step, and the next is not begun
            lanes.shutdown(cancel_futures=True)
            raise
    return sorted(takes, key=_value, reverse=True)


def _value(take: Take) -> float:
    """What takes are compared by; all alike where the pack cannot tell."""
    return 0.0 if take.fit is None else take.fit.value


def fit_of(graphs: Graphs, pack: Pack, reading: Reading, score: Score) -> Fit | None:
    """How ``score`` fits the vocal of ``reading``; None where the pack has no graph for it."""
    facts = pack.manifest.fit
    if facts is None:
        return None
    frames = reading.features.shape[1]
    beats, band = phases(reading.grid, frames), band_rows(score, frames)
    return rated(song_value(graphs.fit, reading.features, beats, reading.plan, band), facts)
