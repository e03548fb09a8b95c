"""Voices chords: chooses the inversion that moves least from the one before."""

from __future__ import annotations

from functools import lru_cache

from train.arrange.chord import Chord

CENTRE_PULL = 0.6
"""Cost of one semitone of distance from the middle of the range, in semitones of movement."""


@lru_cache(maxsize=65536)
def lead(
    tones: tuple[int, ...], previous: tuple[int, ...], low: int, high: int, open_position: bool = False
) -> tuple[int, ...]:
    """Pitches of ``tones`` (pitch classes) within ``low`` to ``high``, nearest to ``previous``.

    It considers close positions and, if ``open_position``, those with the second voice from the top an
    octave lower. Without ``previous`` it takes the position nearest to the middle of the range.

    Raises:
        ValueError: no position fits into the range.
    """
    middle = (low + high) / 2
    best: tuple[float, tuple[int, ...]] | None = None
    for pitches in _positions(tones, low, high, open_position):
        cost = CENTRE_PULL * abs(sum(pitches) / len(pitches) - middle)
        if previous:
            cost += _movement(previous, pitches)
        if best is None or (cost, pitches) < best:
            best = (cost, pitches)
    if best is None:
        raise ValueError(f"no position of {tones} fits between {low} and {high}")
    return best[1]


def _positions(tones: tuple[int, ...], low: int, high: int, open_position: bool) -> list[tuple[int, ...]]:
    found = []
    ordered = sorted(set(tones))
    for rotation in range(len(ordered)):
        turned = ordered[rotation:] + [t + 12 for t in ordered[:rotation]]
        for octave in range(0, 108, 12):
            pitches = [t + octave for t in turned]
            shapes = [pitches]
            if open_position and len(pitches) > 3:
                shapes.append(sorted([pitches[-2] - 12, *pitches[:-2], pitches[-1]]))
            found += [tuple(p) for p in shapes if p[0] >= low and p[-1] <= high]
    return found


def _movement(previous: tuple[int, ...], pitches: tuple[int, ...]) -> float:
    """Semitones from each voice to the nearest one of the other chord, averaged over both directions.

    The two chords may have different numbers of voices.
    """
    there = sum(min(abs(p - q) for q in previous) for p in pitches)
    back = sum(min(abs(p - q) for q in pitches) for p in previous)
    return (there + back) / 2 + 0.5 * abs(pitches[-1] - previous[-1])


@lru_cache(maxsize=4096)
def bass_pitch(pitch_class: int, previous: int, low: int, high: int) -> int:
    """The pitch of ``pitch_class`` in the range nearest to ``previous``; 0 means the low end."""
    near = previous or low + 7
    options = [p for p in range(low, high + 1) if p % 12 == pitch_class]
    return min(options, key=lambda p: (abs(p - near) + 0.3 * abs(p - (low + high) / 2), p))


def seventh_tones(chord: Chord, following: Chord, tonic: int, sung: frozenset[int]) -> tuple[int, ...]:
    """Four notes for a rootless jazz chord: third and seventh first, then tensions.

    ``sung`` are the pitch classes that the singer holds over the chord. A tension a semitone away from one
    of them is left out.
    """
    root = chord.root
    colours = {
        "maj": (4, 7, 11, 2) if (root - tonic) % 12 in (0, 5) else (4, 7, 9, 2),
        "maj7": (4, 7, 11, 2),
        "min": (3, 7, 10, 2),
        "m7": (3, 7, 10, 2),
        "7": (4, 10, 2, 9),
        "dim": (0, 3, 6, 9),
        "hdim": (0, 3, 6, 10),
        "aug": (4, 8, 10, 2),
        "sus4": (5, 10, 2, 7),
    }[chord.quality]
    falls_a_fifth = (root - following.root) % 12 == 7
    if chord.quality == "maj" and falls_a_fifth and (root - tonic) % 12 not in (0, 5):
        colours = (4, 10, 2, 9)
    if chord.quality == "min" and following.quality == "min" and (root - tonic) % 12 == 0:
        colours = (3, 7, 9, 2)
    core = set(chord.pitch_classes)
    tones = []
    for step in colours:
        tone = (root + step) % 12
        clash = tone not in core and any((tone + d) % 12 in sung for d in (1, 11))
        if clash and step == 11 and (root + 9) % 12 not in {(s + d) % 12 for s in sung for d in (1, 11)}:
            tone, clash = (root + 9) % 12, False
        if not clash:
            tones.append(tone)
    return tuple(dict.fromkeys(tones)) if len(tones) >= 3 else chord.pitch_classes
