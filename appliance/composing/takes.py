"""The takes of a job: compose them in parallel, rate their fit, retry those that fit badly or are copies,
sort them by fit.

The seeds of several takes are chosen so that they differ (:mod:`appliance.composing.joint_choice`). A take
depends on its seed only, not on the other takes: each can be rendered again alone with the ``--seed`` in its
receipt.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from appliance.composing.chosen_harmony import redraw
from appliance.composing.composer import compose, steps_of
from appliance.composing.dials import TurnedDials, turn_dials
from appliance.composing.fit import Fit, rate, song_value
from appliance.composing.joint_choice import unlike_seeds
from appliance.composing.manner import instruments
from appliance.composing.reading import Reading
from appliance.composing.take_plans import planned
from appliance.composing.wishes import Wishes
from appliance.music.beat_grid import phases
from appliance.music.score import Score
from appliance.networks.band_rows import band_rows
from appliance.networks.graphs import Graphs
from appliance.novelty.copy_gate import Originality, originality
from appliance.novelty.diversity import diversity
from appliance.packs.pack import Pack
from appliance.system.threads import StoppedError

RETRY_SEED_STEP = 1_000_003
"""Added to the seed of a take that fits badly or is a copy for its second try. Seeds from this value on are
not retried, because they belong to second tries, which must be reproducible."""

Advance = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Take:
    """A take: its seed, its notes and their fit (None if the pack has no fit network).

    ``reading`` is the job's, with the harmony of this take. ``dials`` is None if nobody has measured what
    songs of its style do, ``originality`` if the pack does not tell what it was trained on. ``withheld`` is
    the originality of the first try, if that was a copy and this is the second one. ``diversity`` is that of
    all takes of the job, None for a take alone.
    """

    seed: int
    reading: Reading
    score: Score
    fit: Fit | None
    retried: bool = False
    dials: TurnedDials | None = None
    originality: Originality | None = None
    withheld: Originality | None = None
    diversity: float | None = None

    @property
    def copied(self) -> bool:
        """Whether the take is nearer to a training song than unrelated songs are to each other."""
        return self.originality is not None and self.originality.copied


def compose_takes(
    graphs: Graphs,
    pack: Pack,
    reading: Reading,
    wishes: Wishes,
    on_progress: Advance = lambda _: None,
) -> list[Take]:
    """Compose the takes of ``wishes``; returns them sorted by fit, best first, equal ones by seed.

    A take whose fit is below the pack's floor, or which is a copy, is retried once with another seed, and the
    better one is kept: one that is no copy, then the better fit. If neither will do, it stays flagged.
    ``on_progress`` receives shares of this work that add up to 1; retries report none. Takes are composed in
    parallel, one per CPU core. With variety their harmonies differ; the fit is always rated against the
    planner's probabilities, or the given chart.
    """
    seeds = unlike_seeds(graphs, pack, reading, wishes)
    step = 1.0 / (wishes.takes * steps_of(pack, reading.features))
    graphs = graphs.for_lanes(wishes.takes)
    progress_lock, stop = threading.Lock(), threading.Event()
    failures: list[BaseException] = []

    def check_stop() -> None:
        if stop.is_set():
            raise StoppedError

    def advance() -> None:
        check_stop()
        with progress_lock:
            on_progress(step)

    def draw_best(seed: int) -> Take:
        check_stop()
        take = draw_take(graphs, pack, reading, wishes, seed, advance)
        if (take.copied or (take.fit is not None and take.fit.low)) and seed < RETRY_SEED_STEP:
            again = draw_take(graphs, pack, reading, wishes, seed + RETRY_SEED_STEP, check_stop)
            take = better(take, again)
        return take

    def draw_or_stop_all(seed: int) -> Take:
        try:
            return draw_best(seed)
        except StoppedError:
            raise
        except BaseException as error:
            failures.append(error)
            stop.set()  # no other take begins, and running ones end at their next step
            raise

    with ThreadPoolExecutor(graphs.lanes, "take") as lanes:
        try:
            takes = list(lanes.map(draw_or_stop_all, seeds))
        except BaseException:
            stop.set()  # also on Ctrl-C
            lanes.shutdown(cancel_futures=True)
            if failures:  # the first one, not the stop that it brought to another take
                raise failures[0] from None
            raise
    takes.sort(key=_value, reverse=True)
    if len(takes) < 2:
        return takes
    vendi = diversity([take.score for take in takes])
    return [replace(take, diversity=vendi) for take in takes]


def better(first: Take, second: Take) -> Take:
    """The better one of two tries: one that is no copy, then the better fit; of two copies the less near."""

    def merit(take: Take) -> tuple[float, float]:
        return -take.originality.nearness if take.originality and take.copied else 0.0, _value(take)

    chosen = max(first, second, key=merit)
    withheld = first.originality if first.copied and chosen is second else None
    return replace(chosen, retried=True, withheld=withheld)


def draw_take(
    graphs: Graphs,
    pack: Pack,
    reading: Reading,
    wishes: Wishes,
    seed: int,
    on_step: Callable[[], None] = lambda: None,
) -> Take:
    """Compose the take of one seed, without a second try; ``on_step`` as for
    :func:`appliance.composing.composer.compose`."""
    own = planned(graphs, pack, redraw(graphs, reading, seed, wishes.variety), wishes, seed)
    score = compose(graphs, pack, own, wishes.style, seed, on_step)
    score = score.only(*instruments(wishes.style, wishes.like_groups))
    score, own, dials = turn_dials(pack, own, score, wishes, seed)
    fit, near = fit_of(graphs, pack, reading, score), originality_of(pack, reading, score)
    return Take(seed, own, score, fit, dials=dials, originality=near)


def _value(take: Take) -> float:
    """The value that takes are sorted by; equal for all if the pack has no fit network."""
    return 0.0 if take.fit is None else take.fit.value


def fit_of(graphs: Graphs, pack: Pack, reading: Reading, score: Score) -> Fit | None:
    """Rate how ``score`` fits the vocal of ``reading``; None if the pack has no fit network."""
    facts = pack.manifest.fit
    if facts is None:
        return None
    frames = reading.features.shape[1]
    beats, band = phases(reading.grid, frames), band_rows(score, frames)
    plan = reading.probabilities if reading.composed else reading.plan
    return rate(song_value(graphs.fit, reading.features, beats, plan, band), facts)


def originality_of(pack: Pack, reading: Reading, score: Score) -> Originality | None:
    """How near ``score`` is to a song that the pack was trained on; None if the pack does not tell."""
    originals = pack.originals()
    return None if originals is None else originality(originals, score, reading.grid)
