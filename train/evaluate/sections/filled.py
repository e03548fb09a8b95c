"""Section: a chart with gaps, filled in by the chord network.

The pack gets the written beats and a chart of the written chords, one a bar, in which every second chord is a
gap: ``| Am | ? | F | ? |``. In the bars of the gaps its chart is compared with the written chords, and so is
the one that it finds with the beats alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from appliance.composing.wishes import Wishes
from appliance.errors import BacklineError
from appliance.files.hashes import file_sha256
from appliance.music.beat_file import beats_text, parse_beats
from appliance.music.chart_bars import FREE
from appliance.music.chord_chart import Chart, ChordSpan
from train.corpus.reader import read_song
from train.corpus.song import Song
from train.evaluate.judges.chord_judge import as_heard, chord_agreement
from train.evaluate.material.pieces import LENGTH_S, excerpt_span
from train.evaluate.material.written_charts import (
    bar_labels,
    chart_in_bars,
    every_second,
    written_beats,
    written_chart,
)
from train.evaluate.measures.gap import mean
from train.evaluate.players.renderers import PackRenderer, engine_of, read_vocal
from train.evaluate.processes.store import Refused
from train.evaluate.processes.workers import ask_all
from train.evaluate.sections.facts import fact, shown, table
from train.evaluate.sections.section import Facts, Section
from train.evaluate.sections.setting import EvaluationSetting


@dataclass(frozen=True, slots=True)
class Exercise:
    """A song's written ``beats`` and ``chart`` with gaps, as texts, and the written chords in the gaps."""

    beats: str
    chart: str
    missing: Chart


@dataclass(frozen=True, slots=True)
class Job:
    """A vocal with an exercise for one pack; ``folder`` holds the answers."""

    setting: EvaluationSetting
    renderer: PackRenderer
    vocal: Path
    exercise: Exercise


def measure(setting: EvaluationSetting) -> Facts:
    if setting.manifest().graphs.chords is None:
        return {"missing": "this pack has no chord network"}
    sets: Facts = {}
    refused: dict[str, str] = {}
    every: list[tuple[float, float]] = []
    for songs in setting.sets():
        pieces = setting.pieces_of(songs)
        jobs = []
        for piece, row in zip(pieces, songs.rows, strict=True):
            song = read_song(songs.corpus, row)
            try:
                exercise = exercise_of(song, excerpt_span(song, LENGTH_S)[0], piece.duration_s)
            except BacklineError as error:
                refused[piece.id] = str(error)
                continue
            jobs.append(Job(setting, setting.renderer, piece.vocal, exercise))
        ask_all(_ask, jobs, f"gaps, {songs.title}", lambda job: job.vocal.stem, setting.workers)
        rows = []
        for job in jobs:
            try:
                rows.append(_agreements(job))
            except Refused as error:
                refused[job.vocal.stem] = str(error)
        every += rows
        sets[songs.name] = {"title": songs.title, **compared(rows)}
    if not every:
        return {"missing": next(iter(refused.values()), "there is no song")}
    return {"sets": sets, "all": compared(every), "refused": refused}


def exercise_of(song: Song, start_s: float, duration_s: float) -> Exercise:
    """The exercise on ``duration_s`` seconds of a song from ``start_s`` on.

    Raises:
        UsageError: the song's beats cannot be given to the appliance.
    """
    written = written_chart(song, start_s, start_s + duration_s)
    beats = beats_text(written_beats(song, start_s, start_s + duration_s))
    grid = parse_beats(beats, duration_s, "beats")
    bars_s = [*(grid.beats_s[k] for k in grid.downbeats), duration_s]
    labels = every_second(bar_labels(written, bars_s))
    missing = [
        ChordSpan(max(span.start_s, start), min(span.end_s, end), span.label)
        for (start, end), label in zip(pairwise(bars_s), labels, strict=True)
        if label == FREE
        for span in written
        if min(span.end_s, end) > max(span.start_s, start)
    ]
    return Exercise(beats, chart_in_bars(labels), missing)


def compared(rows: Sequence[tuple[float, float]]) -> Facts:
    """Agreement in the gaps with the chart and without it, and the difference, over songs."""
    return {
        "songs": len(rows),
        "with": fact(mean([given for given, _ in rows])),
        "without": fact(mean([free for _, free in rows])),
        "with_minus_without": fact(mean([given - free for given, free in rows])),
    }


def _ask(job: Job) -> None:
    try:
        _agreements(job)
    except Refused:
        return  # the refusal is stored too


def _agreements(job: Job) -> tuple[float, float]:
    """Agreement with the missing chords of the chart found with the exercise, and with the beats alone."""
    alone = Wishes(style=job.renderer.style, beats=job.exercise.beats)
    found = (_chart(job, alone.model_copy(update={"chords": job.exercise.chart})), _chart(job, alone))
    given, free = (agreement(chart, job.exercise.missing) for chart in found)
    return given, free


def agreement(chart: Chart, missing: Chart) -> float:
    """Share of the time of ``missing`` in which ``chart`` has the same root and third; NaN if it is empty."""
    end_s = max((span.end_s for span in missing), default=0.0)
    return chord_agreement(as_heard(chart), as_heard(missing), end_s)


def _chart(job: Job, wishes: Wishes) -> Chart:
    """The chart of the pack's reading; stored."""
    vocal, renderer = job.vocal, job.renderer
    question = {"chart": renderer.label, "vocal": file_sha256(vocal), "wishes": wishes.to_json()}

    def listen() -> object:
        reading = read_vocal(engine_of(renderer.pack), vocal, wishes)
        return [[span.start_s, span.end_s, span.label] for span in reading.chart]

    return [ChordSpan(*span) for span in job.setting.hearing.store.get(question, listen)]


def describe(facts: Facts) -> str:
    if "missing" in facts:
        return f"Not measured: {facts['missing']}."
    named = [(found["title"], found) for found in facts["sets"].values()] + [("all", facts["all"])]
    rows = [
        [
            name,
            str(found["songs"]),
            shown(found["without"]),
            shown(found["with"]),
            f"**{shown(found['with_minus_without'], sign=True)}**",
        ]
        for name, found in named
    ]
    text = (
        "The pack is given the written beats and a chart of one written chord a bar, in which every second "
        "chord is a gap. Figures: share of the time in the gaps in which its chart has root and third of the "
        "written chord; without the chart it has the beats alone.\n\n"
        + table(("set", "songs", "without the chart", "with every second chord", "difference"), rows)
    )
    if facts["refused"]:
        text += "\n\n" + "\n".join(
            ["Left out:", "", *(f"- {song}: {reason}" for song, reason in facts["refused"].items())]
        )
    return text


FILLED_SECTION = Section("gaps", "Charts with gaps", measure, describe, asks=("others",))
