"""Reads a LilyPond score from its compiled MIDI file; the source gives key, pickup and hyphens.

One track is one voice, named ``sopranos:sopranos``; lyrics lie in tracks of their own, named after their
context (``altos`` is verse 1, ``altosII`` verse 2, whoever sings it). A voice that splits as
``<< ... \\\\ ... >>`` continues in short-lived tracks ``1:1`` and ``2:2``. Repeats are played as the file
plays them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from appliance.music.keys import estimate_key
from appliance.music.midi_file import MidiNote, MidiTrack, bars_of, read_midi
from train.corpus.assembly import PlayedScore, TimedChord, TimedNote
from train.corpus.chord_symbols import chord_of_pitches
from train.corpus.ledger import LedgerRow, verified_bytes, verified_compiled
from train.corpus.lilypond_source import has_tempo, hyphenated, key_signature, pickup_quarters
from train.corpus.lilypond_words import Word, words_at

SHORT_LIVED = re.compile(r"\d+:\d+")
CHORD_TRACKS = ("", "Begleitung:")
"""Names of the track of a lead sheet that holds its chord symbols."""

_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_OUTSIDE = 0.15
"""Share of the notes' time by which another signature must fit better to replace the written one."""

TOGETHER = 1e-3
"""Notes that begin within so many quarters begin together."""


def read_lilypond(corpus: Path, row: LedgerRow) -> PlayedScore:
    """The score of a ``.ly`` file with its compiled ``.mid``.

    Raises:
        LedgerError: the licence is not allowed, or one of the files is missing or altered.
        ValueError: the MIDI file cannot be read.
    """
    source = verified_bytes(corpus, row).decode("utf-8-sig", "replace")
    midi = read_midi(verified_compiled(corpus, row))
    sung, rest = _sung_tracks(row, [track for track in midi.tracks if track.notes])
    symbols = [t for t in rest if t.name in CHORD_TRACKS] if row.has_chords == "1" else []
    accompaniment = [t for t in rest if not any(t is s for s in symbols)]
    main = _line(note for track in sung for note in track.notes)
    split = [t for t in accompaniment if SHORT_LIVED.fullmatch(t.name)]
    own = [t for t in split if _continues(t, main)]
    if own:
        main = _line([*main, *(note for track in own for note in track.notes)])
    lower = [
        note
        for track in [*sung, *accompaniment]
        for note in track.notes
        if not any(note is kept for kept in main)
    ]
    words = words_at([n.start for n in main], [t for t in midi.tracks if t.lyrics], hyphenated(source))
    fifths, mode = _sounding_signature(key_signature(source), [*main, *lower])
    bars, meters = bars_of(midi, pickup_quarters(source))
    return PlayedScore(
        bars=bars,
        meters=meters,
        voice=[_sung(note, word) for note, word in zip(main, words, strict=True)],
        written=[TimedNote(n.start, n.end, n.pitch) for n in lower],
        tempo=midi.tempo if has_tempo(source) else (),
        fifths=fifths,
        mode=mode,
        chords=_chords([note for track in symbols for note in track.notes], bars[-1]),
    )


def _sounding_signature(written: tuple[int, str], notes: Sequence[MidiNote]) -> tuple[int, str]:
    r"""The written key signature, or that of the estimated key where the notes lie in another one.

    Fourteen songs are written in one key and put into another by ``\transpose``.
    """
    chroma = np.zeros(12)
    for note in notes:
        chroma[note.pitch % 12] += note.end - note.start
    inside = [chroma[[(7 * f + step) % 12 for step in _MAJOR]].sum() for f in range(12)]
    if max(inside) - inside[written[0] % 12] <= _OUTSIDE * chroma.sum():
        return written
    key, _ = estimate_key(chroma)
    return key.fifths, key.mode


def _sung(note: MidiNote, word: Word) -> TimedNote:
    return TimedNote(note.start, note.end, note.pitch, *word)


def _sung_tracks(row: LedgerRow, tracks: Sequence[MidiTrack]) -> tuple[list[MidiTrack], list[MidiTrack]]:
    """Tracks of the sung part, and the others.

    In a lead sheet every named voice is the tune: refrain and verse may be two voices, one after the other.
    If none has a name, the tune is the track without chords.
    """
    name = row.voice_part.removeprefix("voice ").strip()
    if row.role == "leadsheet" and not name:
        sung = [min(tracks, key=_simultaneous)] if tracks else []
    elif row.role == "leadsheet":
        sung = [track for track in tracks if track.name not in CHORD_TRACKS]
    else:
        sung = [track for track in tracks if track.name == f"{name}:{name}"]
    return sung, [track for track in tracks if not any(track is s for s in sung)]


def _simultaneous(track: MidiTrack) -> float:
    """Share of notes that begin with another one."""
    return 1.0 - len({round(note.start, 3) for note in track.notes}) / len(track.notes)


def _line(notes: Iterable[MidiNote]) -> list[MidiNote]:
    """The highest of simultaneous notes, in order."""
    highest: dict[float, MidiNote] = {}
    for note in sorted(notes, key=lambda n: (n.start, n.pitch)):
        highest[round(note.start, 3)] = note
    return sorted(highest.values())


def _continues(track: MidiTrack, main: Sequence[MidiNote]) -> bool:
    """Whether a short-lived track is the upper half of the sung part: that is silent meanwhile."""
    if track.name != "1:1" or not main:
        return False
    first, last = track.notes[0].start, track.notes[-1].end
    return not any(note.start < last - TOGETHER and note.end > first + TOGETHER for note in main)


def _chords(notes: Sequence[MidiNote], end: float) -> list[TimedChord]:
    """The chords of a track of block chords; where nothing sounds for a while there is no chord."""
    starts = sorted({round(note.start, 3) for note in notes})
    chords: list[TimedChord] = []
    silent_from = 0.0
    for start in starts:
        here = [note for note in notes if round(note.start, 3) == start]
        if start > silent_from + TOGETHER and (chords or start > TOGETHER):
            chords.append(TimedChord(silent_from, None))
        chords.append(TimedChord(start, chord_of_pitches(n.pitch for n in here)))
        silent_from = max(note.end for note in here)
    if chords and silent_from < end - TOGETHER:
        chords.append(TimedChord(silent_from, None))
    return chords
