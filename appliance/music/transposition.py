"""A chart in another key: its chords move, and are spelled as usual there."""

from __future__ import annotations

from dataclasses import replace

from appliance.music.chord_chart import Chart
from appliance.music.chord_names import Chord, parse_chord
from appliance.music.keys import Key, pitch_class, spell


def transposed_chart(chart: Chart, key: Key, semitones: int) -> Chart:
    """``chart``, a song in ``key``, moved up by ``semitones``. Moved by octaves, it keeps its spelling.

    >>> from appliance.music.chord_chart import ChordSpan
    >>> [span.label for span in transposed_chart([ChordSpan(0.0, 2.0, "F#m7/E")], Key.parse("D"), -2)]
    ['Em7/D']
    """
    if semitones % 12 == 0:
        return chart
    to = key.transposed(semitones)
    return [replace(span, label=_moved(span.label, to, semitones)) for span in chart]


def _moved(label: str, to: Key, semitones: int) -> str:
    chord = parse_chord(label)
    if chord is None:
        return label

    def named(name: str) -> str:
        return spell((pitch_class(name) + semitones) % 12, to)

    return Chord(named(chord.root), chord.quality, named(chord.bass) if chord.bass else "").label
