"""Which seventh a triad takes in its key, and what the chord is called then.

A dominant, of the key or of the next chord, takes the minor seventh. Any other chord takes the seventh of the
scale; where that is none of its own, it takes none.
"""

from __future__ import annotations

from appliance.composing.shaping.song import PlacedChord
from appliance.music.chord_names import parse_chord
from appliance.music.keys import Key

_MAJOR_SCALE, _MINOR_SCALE = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
_TRIADS = {(4, 7): "", (3, 7): "m", (3, 6): "dim", (5, 7): "sus4", (4, 8): "aug", (2, 7): "sus2"}
"""Quality of a triad by its third and fifth, in semitones above the root."""

_SEVENTHS = {
    ("", 10): "7",
    ("", 11): "maj7",
    ("m", 10): "m7",
    ("m", 11): "mmaj7",
    ("dim", 10): "m7b5",
    ("dim", 9): "dim7",
    ("sus4", 10): "7sus4",
    ("aug", 10): "aug7",
}
"""Quality of a triad with a seventh, in semitones above the root."""


def seventh_of(chord: PlacedChord, following: PlacedChord | None, key: Key) -> int | None:
    """The pitch class of the seventh that a chord takes in ``key``; None if it takes none."""
    shape = _shape(chord)
    if shape is None:
        return None
    quality, root = shape, chord.triad[0]
    degree = (root - key.tonic) % 12
    scale = _MINOR_SCALE if key.mode == "minor" else _MAJOR_SCALE
    falls = following is not None and following.triad[:1] == ((root + 5) % 12,)
    outside = any((tone - key.tonic) % 12 not in scale for tone in chord.triad)
    if quality == "" and (degree == 7 or (falls and outside)):
        return (root + 10) % 12
    if quality == "sus4" and degree != 7:
        return None
    for step in (10, 11, 9):
        if (quality, step) in _SEVENTHS and (degree + step) % 12 in scale:
            return (root + step) % 12
    return None


def is_dominant(chord: PlacedChord, following: PlacedChord | None, key: Key) -> bool:
    """Whether a chord's seventh makes it a dominant."""
    return _shape(chord) == "" and seventh_of(chord, following, key) == (chord.triad[0] + 10) % 12


def label_with(chord: PlacedChord, seventh: int) -> str:
    """The label of a chord with a seventh of the pitch class ``seventh``; its own if that has no name."""
    parsed, shape = parse_chord(chord.label), _shape(chord)
    quality = _SEVENTHS.get((shape or "", (seventh - chord.triad[0]) % 12)) if chord.triad else None
    if parsed is None or shape is None or quality is None:
        return chord.label
    return parsed.root + quality + (f"/{parsed.bass}" if parsed.bass else "")


def label_of_triad(chord: PlacedChord) -> str:
    """The label of a chord without the tones beyond its triad."""
    parsed, shape = parse_chord(chord.label), _shape(chord)
    if parsed is None or shape is None:
        return chord.label
    bass = parsed.bass if parsed.bass and parsed.bass_pitch_class in chord.triad else ""
    return parsed.root + shape + (f"/{bass}" if bass else "")


def _shape(chord: PlacedChord) -> str | None:
    if not chord.triad:
        return None
    root, third, fifth = chord.triad
    return _TRIADS.get(((third - root) % 12, (fifth - root) % 12))
