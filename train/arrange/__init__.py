"""Arrangements of a corpus song: one score a style, from its written part or the chords read from it.

- ``context``: what every arranger works from; ``grid``: bars in pulses; ``chords``: the harmony;
  ``dynamics``: the phrases
- ``piano``, ``sustained``: play what is written
- ``guitar``, ``pop``, ``folk``, ``jazz``, ``synth``: play our own patterns over the chords
- ``groove``: patterns as text; ``voicing``, ``fretboard``: chords as notes; ``band``, ``drums``: the players
- ``tidy``: makes it a score
- ``measure``: describes arrangements in numbers
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from appliance.errors import UsageError
from appliance.music.score import Note, Score
from train.arrange.chords import Chord, read_chords
from train.arrange.context import Context
from train.arrange.folk import folk
from train.arrange.guitar import guitar
from train.arrange.jazz import jazz
from train.arrange.piano import piano
from train.arrange.pop import pop
from train.arrange.sustained import organ, strings
from train.arrange.synth import synth
from train.arrange.tidy import tidy
from train.corpus.song import Song

__all__ = ["Chord", "arrange", "read_chords"]

_ARRANGERS: Mapping[str, Callable[[Context], list[Note]]] = {
    "piano": piano,
    "strings": strings,
    "organ": organ,
    "guitar": guitar,
    "pop": pop,
    "folk": folk,
    "jazz": jazz,
    "synth": synth,
}


def arrange(song: Song, style: str, seed: int) -> Score:
    """``song`` arranged in ``style`` (one of :data:`appliance.music.score.STYLES`).

    The same song, style and seed give the same score; another seed gives other patterns, voicings and
    touch. Raises UsageError for an unknown style.
    """
    if style not in _ARRANGERS:
        raise UsageError(f"There is no style '{style}'; choose one of {', '.join(_ARRANGERS)}.")
    context = Context.of(song, style, seed)
    return tidy(_ARRANGERS[style](context), song.duration_s)
