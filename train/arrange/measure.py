"""Describes arrangements in numbers: ``python -m train.arrange.measure CORPUS --songs 20``."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

from appliance.music.score import DRUM_GROUP, STYLES, Note, Score
from train.arrange import arrange, read_chords
from train.corpus.ledger import sung_rows
from train.corpus.reader import read_song
from train.corpus.song import Song
from train.corpus.timeline import chroma

COLUMNS = ("notes/s", "drums/s", "pitch", "voices", "length_s", "chroma", "wrong", "clash", "ms")
"""Pitched notes and drum strokes per second, mean pitch, mean number of sounding notes, mean note length,
chroma agreement with the written part and with the same moved by a tritone, share of the sung time with a
semitone against the singer, CPU milliseconds per arrangement."""


def chroma_of(notes: Sequence[Note], duration_s: float, step_s: float = 0.5) -> NDArray[np.float64]:
    """(K, 12): seconds that each pitch class sounds in each of K steps, without drums."""
    edges_s = np.arange(int(duration_s / step_s) + 2) * step_s
    return chroma([note for note in notes if note.group != DRUM_GROUP], edges_s)


def agreement(score: Score, song: Song, shift: int = 0) -> float:
    """Mean cosine similarity of the half-second chroma of ``score`` and of the written part.

    ``shift`` transposes the score, in semitones. Steps in which either is silent are left out.
    """
    a = chroma_of(song.written, song.duration_s)
    b = np.roll(chroma_of(score.notes, song.duration_s), shift, axis=1)
    both = (a.sum(axis=1) > 0) & (b.sum(axis=1) > 0)
    a, b = a[both], b[both]
    return float(np.mean((a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)))


def clash(score: Score, song: Song, step_s: float = 0.05) -> float:
    """Share of the sung time in which a pitch class a semitone away sounds and the sung one does not."""
    sounds = chroma_of(score.notes, song.duration_s, step_s) > 0
    clashing = total = 0
    for note in song.voice:
        steps = sounds[int(note.start_s / step_s) + 1 : int(note.end_s / step_s)]
        beside = steps[:, (note.pitch + 1) % 12] | steps[:, (note.pitch - 1) % 12]
        clashing += int((beside & ~steps[:, note.pitch % 12]).sum())
        total += len(steps)
    return clashing / max(total, 1)


def chord_tone_share(song: Song) -> float:
    """Share of the written notes' time in which they belong to the chord that was read."""
    inside = total = 0.0
    notes = sorted(song.written)
    for chord in read_chords(song):
        for note in notes:
            if note.start_s >= chord.end_s:
                break
            overlap = max(0.0, min(note.end_s, chord.end_s) - max(note.start_s, chord.start_s))
            inside += overlap * (note.pitch % 12 in chord.pitch_classes)
            total += overlap
    return inside / max(total, 1e-9)


def describe(song: Song, style: str, seed: int) -> tuple[float, ...]:
    """One arrangement as numbers, in the order of :data:`COLUMNS`."""
    begun = process_time()
    score = arrange(song, style, seed)
    spent_ms = 1e3 * (process_time() - begun)
    pitched = [n for n in score.notes if n.group != DRUM_GROUP]
    lengths = [n.end_s - n.start_s for n in pitched]
    return (
        len(pitched) / song.duration_s,
        (len(score.notes) - len(pitched)) / song.duration_s,
        float(np.mean([n.pitch for n in pitched])),
        sum(lengths) / song.duration_s,
        float(np.mean(lengths)),
        agreement(score, song),
        agreement(score, song, 6),
        clash(score, song),
        spent_ms,
    )


def main() -> None:
    """Print the table over evenly spaced training songs."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--songs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rows = [row for row in sung_rows(options.corpus) if row.split == "train"]
    chosen = rows[:: max(1, len(rows) // options.songs)][: options.songs]
    songs = [read_song(options.corpus, row) for row in chosen]
    print(f"{len(songs)} songs, seed {options.seed}")
    print(f"written time that is chord tones: {np.mean([chord_tone_share(s) for s in songs]):.3f}")
    print(f"{'style':8s}" + "".join(f"{name:>9s}" for name in COLUMNS))
    for style in STYLES:
        means = np.mean([describe(song, style, options.seed) for song in songs], axis=0)
        print(f"{style:8s}" + "".join(f"{value:9.2f}" for value in means))


if __name__ == "__main__":
    main()
