"""Which tones colour a triad in its key, and what the chord is called then.

A dominant, of the key or of the next chord, takes the minor seventh. Any other chord takes tones of the
scale: its seventh, or a sixth, or a ninth.
"""

from __future__ import annotations

from appliance.composing.shaping.song import PlacedChord
from appliance.music.chord_names import parse_chord
from appliance.music.keys import Key

_MAJOR_SCALE, _MINOR_SCALE = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
_TRIADS = {(4, 7): "", (3, 7): "m", (3, 6): "dim", (5, 7): "sus4", (4, 8): "aug", (2, 7): "sus2"}
"""Quality of a triad by its third and fifth, in semitones above the root."""

_COLOURS = {
    ("", 10): "7",
    ("", 11): "maj7",
    ("m", 10): "m7",
    ("m", 11): "mmaj7",
    ("dim", 10): "m7b5",
    ("dim", 9): "dim7",
    ("sus4", 10): "7sus4",
    ("aug", 10): "aug7",
    ("", 9): "6",
    ("m", 9): "m6",
    ("", 2): "add9",
    ("m", 2): "madd9",
}
"""Quality of a triad with one more tone, in semitones above the root."""


def colours_of(chord: PlacedChord, following: PlacedChord | None, key: Key) -> list[int]:
    """The pitch classes that may colour a triad in ``key``, best first: its seventh, sixth and ninth."""
    quality = _shape(chord)
    if quality is None:
        return []
    root = chord.triad[0]
    degree = (root - key.tonic) % 12
    scale = _MINOR_SCALE if key.mode == "minor" else _MAJOR_SCALE
    if quality == "sus4" and degree != 7:
        return []
    dominant = [(root + 10) % 12] if is_dominant(chord, following, key) else []
    others = [(root + step) % 12 for step in (10, 11, 9, 2) if (quality, step) in _COLOURS]
    return [*dominant, *(tone for tone in others if (tone - key.tonic) % 12 in scale)]


def is_dominant(chord: PlacedChord, following: PlacedChord | None, key: Key) -> bool:
    """Whether a chord is the dominant of the key, or a major one outside the key that leads to the next."""
    if _shape(chord) != "":
        return False
    root = chord.triad[0]
    scale = _MINOR_SCALE if key.mode == "minor" else _MAJOR_SCALE
    falls = following is not None and following.triad[:1] == ((root + 5) % 12,)
    outside = any((tone - key.tonic) % 12 not in scale for tone in chord.triad)
    return (root - key.tonic) % 12 == 7 or (falls and outside)


def label_with(chord: PlacedChord, tone: int) -> str:
    """The label of a chord with one more ``tone``, a pitch class; its own if that has no name."""
    parsed, shape = parse_chord(chord.label), _shape(chord)
    quality = _COLOURS.get((shape or "", (tone - chord.triad[0]) % 12)) if chord.triad else None
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
