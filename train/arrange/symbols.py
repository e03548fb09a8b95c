"""Chord symbols of a lead sheet as the harmony of an arrangement."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from train.arrange.chord import Chord, written_quality
from train.arrange.grid import Grid
from train.corpus.chord_symbols import SongChord, WrittenChord
from train.corpus.song import Song

ARRANGED: Mapping[str, str] = {
    "": "maj", "5": "maj", "6": "maj", "add9": "maj", "sus2": "maj",
    "m": "min", "m6": "min", "madd9": "min", "mmaj7": "min",
    "dim": "dim", "dim7": "dim", "aug": "aug", "aug7": "aug",
    "7": "7", "9": "7", "7b9": "7", "13": "7",
    "maj7": "maj7", "maj9": "maj7", "m7": "m7", "m9": "m7",
    "m7b5": "hdim", "sus4": "sus4", "7sus4": "sus4",
}  # fmt: skip
"""The quality that arrangers play for each written quality."""


def symbol_chords(song: Song, grid: Grid, read: Sequence[Chord]) -> tuple[Chord, ...]:
    """The song's chord symbols, contiguous from 0 to its end.

    A chord holds until the next one. Where the score has none for a bar or more, the chords ``read`` from the
    notes stand in: children's songs repeat the tune without its chords.
    """
    end_s = grid.bars[-1].end_s
    marks = [(seconds_of_beat(song, c.beat), c.chord) for c in song.chords]
    marks = [(t, chord) for t, chord in marks if t < end_s - 0.01]
    spans: list[tuple[float, float, WrittenChord | None]] = []
    if marks and marks[0][0] > 0.01:
        spans.append((0.0, marks[0][0], None))
    for k, (start_s, chord) in enumerate(marks):
        stop_s = marks[k + 1][0] if k + 1 < len(marks) else end_s
        if stop_s > start_s + 0.01:
            spans.append((start_s, stop_s, chord))
    chords: list[Chord] = []
    for start_s, stop_s, chord in spans:
        bar = grid.bars[grid.index(start_s + 0.01)]
        if chord is not None:
            chords.append(Chord(start_s, stop_s, chord.root, ARRANGED[chord.quality], chord.bass))
        elif stop_s - start_s > 0.9 * (bar.end_s - bar.start_s) or not chords:
            chords += [c for piece in read if (c := piece.within(start_s, stop_s))]
        else:
            last = chords[-1]
            chords[-1] = Chord(last.start_s, stop_s, last.root, last.quality, last.bass)
    return tuple(chords)


def seconds_of_beat(song: Song, beat: float) -> float:
    """Time of a place counted in beats, as in :class:`train.corpus.chord_symbols.SongChord`."""
    beats = song.beats_s
    if len(beats) < 2:
        return max(0.0, beat * song.duration_s)
    k = min(max(int(beat // 1), 0), len(beats) - 2)
    return max(0.0, beats[k] + (beat - k) * (beats[k + 1] - beats[k]))


def beat_of_second(song: Song, time_s: float) -> float:
    """The inverse of :func:`seconds_of_beat`."""
    beats = song.beats_s
    if len(beats) < 2:
        return time_s / max(song.duration_s, 1e-9)
    k = min(max(bisect_right(beats, time_s + 1e-6) - 1, 0), len(beats) - 2)
    return k + (time_s - beats[k]) / (beats[k + 1] - beats[k])


def song_chords(song: Song, chords: Sequence[Chord]) -> tuple[SongChord, ...]:
    """Chords of an arrangement placed in beats."""
    return tuple(
        SongChord(beat_of_second(song, c.start_s), WrittenChord(c.root, written_quality(c.quality), c.bass))
        for c in chords
    )
