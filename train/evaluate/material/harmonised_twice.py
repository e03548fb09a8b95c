"""Tunes that people have harmonised twice: the bound of what a tune alone can say about its harmony.

- Lead sheets with two sets of chords, each played by the same keyboard part
  (:func:`train.arrange.accompanied`). The second set is written where the editors reharmonise the tune, so a
  chord of it counts for a bar at most, and where none counts nothing is compared.
- Tunes set twice in four parts: hymns and carols of one work. The settings may differ in key, rhythm and
  length, so their tunes are aligned note by note, and the second setting is moved to the time and key of the
  first.

Nothing was trained to know these pairs, so songs of all splits count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.music.score import Note
from train.arrange import accompanied, read_chords
from train.arrange.chord import Chord
from train.arrange.symbols import seconds_of_beat
from train.corpus.ledger import LedgerRow, sung_rows
from train.corpus.reader import read_song
from train.corpus.song import Song, SungNote

SHORTEST_RUN = 6
"""Fewer notes in a row in common are no evidence of the same place of the tune."""

SHARED = 0.5
"""Two settings are compared if at least this share of the shorter tune is aligned."""

LEAD_SHEETS, FOUR_PARTS = "lead sheets", "four parts"


@dataclass(frozen=True, slots=True)
class TwoHarmonies:
    """Two harmonisations of one tune, in the time and key of the first; ``work`` is the tune."""

    work: str
    duration_s: float
    one: tuple[Note, ...]
    other: tuple[Note, ...]
    chords_one: tuple[Chord, ...]
    chords_other: tuple[Chord, ...]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where two tunes are the same: ``semitones`` that move the second to the first, and stretches.

    Each of ``runs`` holds the times of notes in the first and in the second tune, both (N + 1,) for N notes:
    their onsets and the end of the last one.
    """

    semitones: int
    runs: tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]

    @property
    def notes(self) -> int:
        """The number of aligned notes."""
        return sum(len(ours) - 1 for ours, _ in self.runs)


def aligned(one: Sequence[SungNote], other: Sequence[SungNote]) -> Alignment:
    """Align two tunes by the longest common runs of pitches, in the transposition that has most of them."""
    best = Alignment(0, ())
    pitches = [note.pitch for note in one]
    for semitones in range(-12, 13):
        moved = [note.pitch + semitones for note in other]
        blocks = SequenceMatcher(None, pitches, moved, autojunk=False).get_matching_blocks()
        runs = tuple(
            (_times(one[b.a : b.a + b.size]), _times(other[b.b : b.b + b.size]))
            for b in blocks
            if b.size >= SHORTEST_RUN
        )
        best = max(best, Alignment(semitones, runs), key=lambda found: found.notes)
    return best


def _times(notes: Sequence[SungNote]) -> NDArray[np.float64]:
    return np.array([*(note.start_s for note in notes), notes[-1].end_s])


def set_twice(one: Song, other: Song) -> TwoHarmonies | None:
    """Two settings of one tune in four parts; None if their tunes have too little in common."""
    found = aligned(one.voice, other.voice)
    if found.notes < SHARED * min(len(one.voice), len(other.voice)):
        return None
    ours: list[Note] = []
    theirs: list[Note] = []
    chords_one: list[Chord] = []
    chords_other: list[Chord] = []
    read, read_other = read_chords(one), read_chords(other)
    for to_s, from_s in found.runs:
        ours += _within(one.written, to_s, to_s, 0)
        theirs += _within(other.written, from_s, to_s, found.semitones)
        chords_one += _chords_within(read, to_s, to_s, 0)
        chords_other += _chords_within(read_other, from_s, to_s, found.semitones)
    return TwoHarmonies(
        f"{one.id} {other.id}",
        one.duration_s,
        tuple(ours),
        tuple(theirs),
        tuple(chords_one),
        tuple(chords_other),
    )


def _within(
    notes: Iterable[Note], from_s: NDArray[np.float64], to_s: NDArray[np.float64], semitones: int
) -> list[Note]:
    """The parts of ``notes`` in a run, moved from its times to others and transposed."""
    moved = []
    for note in notes:
        start_s, end_s = np.interp((note.start_s, note.end_s), from_s, to_s).tolist()
        if end_s > start_s:
            moved.append(replace(note, start_s=start_s, end_s=end_s, pitch=note.pitch + semitones))
    return moved


def _chords_within(
    chords: Iterable[Chord], from_s: NDArray[np.float64], to_s: NDArray[np.float64], semitones: int
) -> list[Chord]:
    moved = []
    for c in chords:
        start_s, end_s = np.interp((c.start_s, c.end_s), from_s, to_s).tolist()
        if end_s > start_s:
            root, bass = (c.root + semitones) % 12, (c.bass + semitones) % 12
            moved.append(Chord(start_s, end_s, root, c.quality, bass))
    return moved


def two_sets(song: Song) -> TwoHarmonies | None:
    """The two sets of chords of a lead sheet; None if it does not have two."""
    if not song.chords or not song.other_chords:
        return None
    settings = (song, replace(song, chords=song.other_chords))
    stretches = [np.array(stretch) for stretch in _reharmonised(song)]
    one, other = (
        tuple(note for s in stretches for note in _within(accompanied(setting).written, s, s, 0))
        for setting in settings
    )
    chords_one, chords_other = (
        tuple(chord for s in stretches for chord in _chords_within(read_chords(setting), s, s, 0))
        for setting in settings
    )
    return TwoHarmonies(song.id, song.duration_s, one, other, chords_one, chords_other)


def _reharmonised(song: Song) -> list[tuple[float, float]]:
    """Start and end in seconds of the stretches in which the second set of chords counts."""
    stretches: list[tuple[float, float]] = []
    ends = [*(chord.beat for chord in song.other_chords[1:]), float(len(song.beats_s))]
    for chord, next_beat in zip(song.other_chords, ends, strict=True):
        if chord.chord is None:
            continue
        start_s = seconds_of_beat(song, chord.beat)
        end_s = seconds_of_beat(song, min(next_beat, chord.beat + song.grid.meter))
        if stretches and stretches[-1][1] >= start_s - 1e-6:
            start_s = stretches.pop()[0]
        stretches.append((start_s, end_s))
    return [(start_s, end_s) for start_s, end_s in stretches if end_s > start_s]


def lead_sheet_pairs(corpora: Iterable[Path]) -> list[TwoHarmonies]:
    """Both sets of chords of every lead sheet that has two."""
    rows = [(corpus, row) for corpus in corpora for row in sung_rows(corpus) if row.has_chords == "2"]
    pairs = (two_sets(read_song(corpus, row)) for corpus, row in rows)
    return [pair for pair in pairs if pair is not None]


def four_part_works(corpora: Iterable[Path]) -> dict[str, list[tuple[Path, LedgerRow]]]:
    """The works of which there are several settings in four parts, by group."""
    works: dict[str, list[tuple[Path, LedgerRow]]] = {}
    for corpus in corpora:
        for row in sung_rows(corpus):
            if row.role == "satb" and row.group:
                works.setdefault(row.group, []).append((corpus, row))
    return {group: rows for group, rows in works.items() if len(rows) > 1}


def four_part_pairs(corpora: Iterable[Path]) -> dict[str, list[TwoHarmonies]]:
    """All pairs of settings of each work whose tunes agree, by group."""
    found: dict[str, list[TwoHarmonies]] = {}
    for group, rows in four_part_works(corpora).items():
        songs = [read_song(corpus, row) for corpus, row in rows]
        pairs = [pair for one, other in combinations(songs, 2) if (pair := set_twice(one, other))]
        if pairs:
            found[group] = pairs
    return found
