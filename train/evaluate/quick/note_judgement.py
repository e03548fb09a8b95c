"""A fast judgement: composes validation songs from cached features and judges their notes, without audio.

It compares settings and training runs in minutes; :mod:`train.evaluate.evaluation`, which judges audio, then
confirms the choice. The model gets the vocal's features only; tempo, key and harmony are its own. Metrics and
anchors are the same as there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from appliance.composing.composer import compose, listen
from appliance.composing.reading import Reading
from appliance.composing.wishes import Wishes
from appliance.music.score import GROUPS, Score
from train.evaluate.evaluation import METRICS, pitched, score
from train.evaluate.material.excerpts import Excerpt
from train.evaluate.measures.gap import Estimate, difference_of, gap_of, mean, shuffled_mean
from train.evaluate.measures.metrics import coverage
from train.evaluate.players.torch_graphs import Model
from train.evaluate.processes.progress import steps

Read = Callable[[Model, Excerpt], Reading]
"""Makes a reading of a vocal; the default is the appliance's own."""


@dataclass(frozen=True, slots=True)
class NoteRow:
    """Scores of one song by one metric, averaged over the seeds."""

    song: str
    metric: str
    ours: float
    shuffled: float
    true: float


@dataclass(frozen=True, slots=True)
class NoteJudgement:
    """Scores of a model. ``notes_s`` and ``arranged_notes_s`` are notes per second, by song."""

    label: str
    rows: tuple[NoteRow, ...]
    coverage: tuple[float, ...]
    notes_s: tuple[float, ...]
    arranged_notes_s: tuple[float, ...]

    def of(self, metric: str) -> tuple[NoteRow, ...]:
        """The rows of one metric, in the order of the songs."""
        return tuple(row for row in self.rows if row.metric == metric)

    def gap_closed(self, metric: str) -> Estimate:
        """Gap closed, with 95 % bootstrap interval over songs."""
        return gap_of(self.of(metric))


def listen_alone(model: Model, excerpt: Excerpt) -> Reading:
    """The appliance's reading of the vocal alone."""
    return listen(model.graphs, excerpt.features, excerpt.duration_s, Wishes())


def judge_notes(
    model: Model,
    excerpts: Sequence[Excerpt],
    *,
    style: str,
    seeds: Sequence[int] = (0,),
    read: Read = listen_alone,
) -> NoteJudgement:
    """Compose every excerpt with every seed and compare the result with the written part.

    The shuffled anchor pairs each song with the results of others. Scores are averaged over seeds first, so
    that intervals are over songs.
    """
    takes: list[list[Score]] = [[] for _ in seeds]
    for excerpt in steps(excerpts, f"composing {model.label}", lambda e: e.id):
        reading = read(model, excerpt)
        for made, seed in zip(takes, seeds, strict=True):
            made.append(compose(model.graphs, model.pack, reading, style, seed))

    def per_song(figure: Callable[[Score, Excerpt], float]) -> tuple[float, ...]:
        return tuple(
            float(np.mean([figure(take[k], excerpt) for take in takes])) for k, excerpt in enumerate(excerpts)
        )

    return NoteJudgement(
        model.label,
        tuple(row for metric in METRICS for row in _rows(metric, excerpts, takes)),
        per_song(lambda made, e: coverage(pitched(made.notes), pitched(e.written.notes), e.duration_s)),
        per_song(lambda made, e: len(made.notes) / e.duration_s),
        tuple(len(e.arranged.notes) / e.duration_s for e in excerpts),
    )


def _rows(metric: str, excerpts: Sequence[Excerpt], takes: Sequence[Sequence[Score]]) -> list[NoteRow]:
    def judge(song: int, result: Score) -> float:
        return score(metric, excerpts[song], result.only(*GROUPS))

    ours = np.mean([[judge(k, made) for k, made in enumerate(take)] for take in takes], axis=0)
    shuffled = np.mean([shuffled_mean(take, judge) for take in takes], axis=0)
    return [
        NoteRow(e.id, metric, float(ours[k]), float(shuffled[k]), judge(k, e.written))
        for k, e in enumerate(excerpts)
    ]


def compare_notes(ours: NoteJudgement, baseline: NoteJudgement, metric: str) -> Estimate:
    """Gap closed by ``ours`` minus ``baseline``, on their common songs and with the baseline's anchors."""
    by_song = ({row.song: row for row in judged.of(metric)} for judged in (ours, baseline))
    return difference_of(*by_song)


def as_table(judgement: NoteJudgement) -> str:
    """Markdown: gap closed and anchors by metric, then coverage and note density."""
    lines = [
        f"{judgement.label}: {len(judgement.coverage)} songs, notes judged, 95 % intervals over songs",
        "",
        "| metric | gap closed | ours | shuffled | written |",
        "|---|---|---|---|---|",
    ]
    for metric in METRICS:
        rows = judgement.of(metric)
        means = " | ".join(
            f"{mean([getattr(r, c) for r in rows]).value:.3f}" for c in ("ours", "shuffled", "true")
        )
        lines.append(f"| {metric} | {judgement.gap_closed(metric)} | {means} |")
    covered, ours, arranged = (
        mean(values) for values in (judgement.coverage, judgement.notes_s, judgement.arranged_notes_s)
    )
    return "\n".join(
        [
            *lines,
            "",
            f"sounds in {covered} of the windows with written notes; {ours} notes/s, arrangements {arranged}",
        ]
    )
