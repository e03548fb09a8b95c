"""Composes the new notes of a redo and exchanges them at the borders of the bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from appliance.composing.composer import Reading, listen, redraw
from appliance.composing.takes import Take, compose_takes, fit_of, played
from appliance.composing.wishes import Wishes
from appliance.music.chord_chart import Chart, chart_text
from appliance.music.midi_reading import MidiSong
from appliance.music.score import Score
from appliance.music.splicing import Stretch, spliced_chart, spliced_score
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
    parent: MidiSong | None


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

    A part that is redone alone keeps the harmony of the others, so the chart of the parent is given to it
    where seeds differ in harmony. Otherwise the bars get the harmony that the new seed draws.

    Raises:
        InputError: the MIDI file of the parent is gone.
    """
    song, wishes = parent.song(), parent.wishes
    alone = set(change.groups) < {*change.groups, *parent.groups}
    chart = change.chart
    if chart is None and (wishes.chords is not None or (alone and wishes.variety > 0.0)):
        chart = parent.chart
    update = {"seed": change.seed, "chords": None if chart is None else chart_text(chart)}
    asked = wishes.model_copy(update=update)
    reading = _reading(engine, parent, asked, sung)
    if not alone:
        reading = redraw(reading, change.seed, wishes.variety)
    made, reading, _ = played(engine.graphs, engine.pack, reading, asked, change.seed)
    stretch = change.stretch or Stretch(0.0, 2.0 * parent.duration_s)
    score = spliced_score(song.score, made.transposed(wishes.transpose), stretch, change.groups)
    sung_score = score.transposed(-wishes.transpose)
    fit = fit_of(engine.graphs, engine.pack, reading, sung_score)
    kept = replace(reading, chart=_chart(parent, change, reading, alone))
    given = wishes.chords is not None or change.chart is not None
    wishes = asked.model_copy(update={"chords": chart_text(kept.chart) if given else None})
    return RedoneNotes(Take(change.seed, kept, sung_score, fit), score, wishes, song)


def _reading(engine: Engine, parent: Parent, wishes: Wishes, sung: TrackedVocal) -> Reading:
    """What was heard for the parent: beats and key are the receipt's."""
    named = wishes.model_copy(update={"chords_name": parent.path.name, "rhythm_name": parent.path.name})
    features, company = sung.features(), sung.track.company
    reading = listen(engine.graphs, features, parent.duration_s, named, company, parent.grid)
    return replace(reading, key=parent.key)


def _chart(parent: Parent, change: Change, reading: Reading, alone: bool) -> Chart:
    """The chords of the song after the redo."""
    if change.chart is not None:
        return change.chart
    if alone:
        return parent.chart
    if change.stretch is None:
        return reading.chart
    return spliced_chart(parent.chart, reading.chart, change.stretch)
