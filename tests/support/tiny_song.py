"""A song of block chords on an even beat, and the rules that every arrangement keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from appliance.music.keys import Key
from appliance.music.score import DRUM_GROUP, DRUM_KEYS, Note, Score
from train.corpus.song import Song, SungNote

BEAT_S = 0.6


def tiny_song(
    chords: Sequence[Sequence[int]],
    beats_a_chord: int = 4,
    meter: tuple[int, int] = (4, 4),
    beat_s: float = BEAT_S,
    key: Key | None = None,
    sung: Sequence[tuple[float, float, int]] = (),
) -> Song:
    """A song of block chords, each ``beats_a_chord`` beats long, in bars of ``meter`` (counted in its
    unit)."""
    written = [
        Note(k * beats_a_chord * beat_s, (k + 1) * beats_a_chord * beat_s, pitch, 80, "keys")
        for k, chord in enumerate(chords)
        for pitch in chord
    ]
    beats = len(chords) * beats_a_chord
    bars = beats // meter[0]
    return Song(
        id="tiny",
        title="Tiny",
        split="train",
        language="en",
        duration_s=beats * beat_s,
        voice=tuple(SungNote(a, b, p, "la", "single") for a, b, p in sung),
        written=tuple(sorted(written)),
        beats_s=tuple(k * beat_s for k in range(beats)),
        downbeats=tuple(range(0, beats, meter[0])),
        bars_s=tuple(k * meter[0] * beat_s for k in range(bars + 1)),
        meters=(meter,) * bars,
        key=key or Key(0, "major"),
        tempo=((0.0, 60.0 / beat_s),),
        sha256="",
    )


def check_rules(score: Score, song: Song) -> None:
    """Assert what every arrangement of ``song`` must keep."""
    assert score.notes
    assert score.duration_s == song.duration_s
    ends: dict[tuple[str, int], float] = defaultdict(float)
    for note in score.notes:
        assert 0.0 <= note.start_s < note.end_s <= song.duration_s
        assert 1 <= note.velocity <= 127
        assert note.start_s >= ends[note.group, note.pitch]
        ends[note.group, note.pitch] = note.end_s
        assert note.pitch in (DRUM_KEYS if note.group == DRUM_GROUP else range(21, 109))
