"""The chords of a song beat by beat, as the planner learns them.

A song's chords are its chord symbols if it has any. Otherwise they are read from its accompaniment
(:mod:`train.arrange.chords`, nine qualities); :attr:`CachedSong.chords_are_symbols` says which.

Letters: B beats, C chords.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.arrange import read_chords
from train.arrange.symbols import song_chords
from train.corpus.chord_symbols import WRITTEN_QUALITIES, SongChord, WrittenChord
from train.corpus.song import Song

NO_CHORD = -1
"""Root, quality and bass of "no chord"."""


def harmony_of(song: Song) -> tuple[tuple[SongChord, ...], bool]:
    """The chords of ``song``, and whether they are its own symbols.

    Where a lead sheet has no symbols for a bar or more, they are read from the tune.
    """
    read = read_chords(song)
    if not song.chords:
        return song_chords(song, read), False
    kept = [chord for chord in song.chords if chord.chord is not None]
    silent = [chord for chord in song_chords(song, read) if _is_unset(song.chords, chord.beat)]
    return tuple(sorted([*kept, *silent], key=lambda c: c.beat)), True


def _is_unset(chords: Sequence[SongChord], beat: float) -> bool:
    """Whether no symbol holds at ``beat``."""
    before = [chord for chord in chords if chord.beat <= beat + 1e-6]
    return not before or before[-1].chord is None


def beat_chords(chords: Sequence[SongChord], beats: int) -> NDArray[np.int16]:
    """(B, 3): root, index into :data:`WRITTEN_QUALITIES` and bass of the chord on each beat.

    Of two chords within a beat the one that begins it counts. Beats before the first chord take it.

    >>> c, g = SongChord(0.0, WrittenChord(0, "", 0)), SongChord(2.0, WrittenChord(7, "7", 11))
    >>> beat_chords([c, g], 3).tolist()
    [[0, 0, 0], [0, 0, 0], [7, 4, 11]]
    """
    rows = np.full((beats, 3), NO_CHORD, np.int16)
    for k, chord in enumerate(chords):
        first = 0 if k == 0 else max(0, int(np.ceil(chord.beat - 0.01)))
        rows[first:] = _row(chord.chord)
    return rows


def chord_arrays(chords: Sequence[SongChord]) -> dict[str, NDArray[Any]]:
    """``chord_beats`` (C,) and ``chord_rows`` (C, 3) as in :func:`beat_chords`, to store."""
    return {
        "chord_beats": np.array([chord.beat for chord in chords], np.float32),
        "chord_rows": np.array([_row(chord.chord) for chord in chords], np.int16).reshape(-1, 3),
    }


def chords_from(arrays: Mapping[str, NDArray[Any]]) -> tuple[SongChord, ...]:
    """The chords that :func:`chord_arrays` stored."""
    return tuple(
        SongChord(float(beat), None if root < 0 else WrittenChord(root, WRITTEN_QUALITIES[quality], bass))
        for beat, (root, quality, bass) in zip(
            arrays["chord_beats"], arrays["chord_rows"].tolist(), strict=True
        )
    )


def _row(chord: WrittenChord | None) -> tuple[int, int, int]:
    if chord is None:
        return (NO_CHORD, NO_CHORD, NO_CHORD)
    return (chord.root, WRITTEN_QUALITIES.index(chord.quality), chord.bass)
