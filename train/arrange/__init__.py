"""Arranges corpus songs: one score per style, from the written part or the song's chords.

- ``context``: a song with everything that arrangers need; ``grid``: bars in pulses; ``chords``: the harmony,
  read from notes or from chord ``symbols``; ``chord``: one chord; ``dynamics``: phrases and their levels
- ``realise``: a keyboard part for a lead sheet
- ``piano``, ``sustained``: play the written notes
- ``guitar``, ``pop``, ``folk``, ``jazz``, ``synth``, ``bossa``, ``waltz``, ``ballad``, ``gospel``,
  ``reggae``, ``funk``, ``country``, ``latin``: play our own patterns over the chords
- ``groove``: patterns as text; ``voice_leading``, ``rootless``, ``fretboard``: chords as notes
- ``band``: bass, chords and arpeggios; ``walking``: the bass of jazz
- ``kit``, ``drums``: the drum kit; ``drummer``: grooves and timing of people, from ``drummers.json``, which
  ``drum_mining`` makes
- ``tidy``: turns notes into a valid score
- ``measure``: describes arrangements in numbers
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from appliance.errors import UsageError
from appliance.music.score import Note, Score
from train.arrange.ballad import ballad
from train.arrange.bossa import bossa
from train.arrange.chord import Chord
from train.arrange.chords import read_chords
from train.arrange.context import Context
from train.arrange.country import country
from train.arrange.folk import folk
from train.arrange.funk import funk
from train.arrange.gospel import gospel
from train.arrange.guitar import guitar
from train.arrange.jazz import jazz
from train.arrange.latin import latin
from train.arrange.piano import piano
from train.arrange.pop import pop
from train.arrange.realise import accompanied
from train.arrange.reggae import reggae
from train.arrange.sustained import organ, strings
from train.arrange.synth import synth
from train.arrange.tidy import tidy
from train.arrange.waltz import waltz
from train.corpus.song import Song

__all__ = ["Chord", "accompanied", "arrange", "read_chords"]

_ARRANGERS: Mapping[str, Callable[[Context], list[Note]]] = {
    "piano": piano,
    "strings": strings,
    "organ": organ,
    "guitar": guitar,
    "pop": pop,
    "folk": folk,
    "jazz": jazz,
    "synth": synth,
    "bossa": bossa,
    "waltz": waltz,
    "ballad": ballad,
    "gospel": gospel,
    "reggae": reggae,
    "funk": funk,
    "country": country,
    "latin": latin,
}


def arrange(song: Song, style: str, seed: int) -> Score:
    """``song`` arranged in ``style`` (one of :data:`appliance.music.score.STYLES`).

    The same song, style and seed give the same score. Another seed gives other patterns, chord voices and
    touch.

    Raises:
        UsageError: the style is unknown.
    """
    if style not in _ARRANGERS:
        raise UsageError(f"There is no style '{style}'; choose one of {', '.join(_ARRANGERS)}.")
    context = Context.of(accompanied(song), style, seed)
    return tidy(_ARRANGERS[style](context), song.duration_s)
