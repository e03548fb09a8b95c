"""Composes the new notes of a redo and exchanges them at the borders of the bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from appliance.composing.chosen_harmony import keeping, variety_of
from appliance.composing.composer import listen
from appliance.composing.dials import measured_in
from appliance.composing.reading import Reading
from appliance.composing.takes import Take, compose_takes, draw_take, fit_of, originality_of
from appliance.composing.wishes import Wishes
from appliance.music.chord_chart import Chart, chart_text
from appliance.music.midi_reading import TakeMidi
from appliance.music.rhythm_plan import RhythmPlan
from appliance.music.score import Score
from appliance.music.splicing import TimeSpan, spliced_chart, spliced_rhythm, spliced_score
from appliance.rendering.engine import Engine
from appliance.rendering.hearing import TrackedVocal
from appliance.rendering.redo.change import Change
from appliance.rendering.redo.parent import Parent


@dataclass(frozen=True, slots=True)
class RedoneNotes:
    """The notes after a redo: ``take`` in the key that is sung, ``score`` as the band plays them.

    ``wishes`` are those of the receipt, ``parent`` are the notes before; None if everything is new.
    """

    take: Take
    score: Score
    wishes: Wishes
    parent: TakeMidi | None


def everything_anew(
    engine: Engine, parent: Parent, seed: int, sung: TrackedVocal, advance: Callable[[float], None]
) -> RedoneNotes:
    """The take as ``backline render`` makes it with another seed."""
    wishes = parent.wishes.model_copy(update={"seed": seed})
    reading = _reading(engine, parent, wishes, sung)
    (take,) = compose_takes(engine.graphs, engine.pack, reading, wishes, advance)
    return RedoneNotes(take, take.score.transposed(wishes.transpose), wishes, None)


def changed_notes(engine: Engine, parent: Parent, change: Change, sung: TrackedVocal) -> RedoneNotes:
    """The notes of the parent with those of ``change``.

    A part that is redone alone keeps the harmony of the others where seeds differ in harmony. Otherwise the
    bars get the harmony that the new seed draws; a pack that composes chords makes it answer what surrounds
    them.

    Raises:
        InputError: the MIDI file of the parent is gone.
    """
    song, wishes = parent.song(), parent.wishes
    alone = set(change.groups) < {*change.groups, *parent.groups}
    chart, graphs = change.chart, engine.graphs
    keeps = chart is None and wishes.chords is None and graphs.composes_chords
    drawn = alone and not keeps and variety_of(graphs, wishes.variety) > 0.0
    if chart is None and (wishes.chords is not None or drawn):
        chart = parent.chart
    update: dict[str, object] = {"seed": change.seed, "chords": None if chart is None else chart_text(chart)}
    if alone:
        update["variety"] = 0.0
    asked = wishes.model_copy(update=update)
    reading = _reading(engine, parent, asked, sung)
    span = change.span or TimeSpan(0.0, 2.0 * parent.duration_s)
    if keeps:
        kept = parent.chart if alone else spliced_chart(parent.chart, [], span)
        reading = keeping(graphs, reading, kept)
    made = draw_take(graphs, engine.pack, reading, asked, change.seed)
    new = made.score.transposed(wishes.transpose)
    score = spliced_score(song.score, new, span, change.groups)
    sung_score = score.transposed(-wishes.transpose)
    chart = _chart(parent, change, made.reading.chart, alone)
    now = replace(made.reading, chart=chart, rhythm=_rhythm(parent, change, made.reading.rhythm, alone))
    dials = made.dials
    if dials is not None:
        dials = measured_in(dials, sung_score, now, engine.pack.dials().styles[wishes.style])
    fit = fit_of(graphs, engine.pack, reading, sung_score)
    near = originality_of(engine.pack, reading, sung_score)
    take = replace(made, reading=now, score=sung_score, fit=fit, dials=dials, originality=near)
    given = wishes.chords is not None or change.chart is not None
    update = {"seed": change.seed, "chords": chart_text(chart) if given else None}
    return RedoneNotes(take, score, wishes.model_copy(update=update), song)


def _reading(engine: Engine, parent: Parent, wishes: Wishes, sung: TrackedVocal) -> Reading:
    """What was heard for the parent: beats and key are the receipt's."""
    named = wishes.model_copy(update={"chords_name": parent.path.name, "rhythm_name": parent.path.name})
    features, company = sung.features(), sung.track.company
    reading = listen(engine.graphs, features, parent.duration_s, named, company, parent.grid)
    return replace(reading, key=parent.key)


def _chart(parent: Parent, change: Change, made: Chart, alone: bool) -> Chart:
    """The chords of the song after the redo; ``made`` are those of the new take."""
    before = parent.chart if change.chart is None else made
    if alone:
        return before
    return made if change.span is None else spliced_chart(before, made, change.span)


def _rhythm(parent: Parent, change: Change, made: RhythmPlan, alone: bool) -> RhythmPlan:
    """The rhythm of the song after the redo: that of the other parts where some are redone alone."""
    if alone:
        return parent.rhythm()
    return made if change.span is None else spliced_rhythm(parent.rhythm(), made, parent.lines, change.span)
