"""Drumming read as strokes: steps, offsets kept, drums of the kit, fills, other meters."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import mido
import pytest
from support.small_corpus import small_corpus

from train.corpus.drumming import DRUM_OF_KEY, read_take
from train.corpus.ledger import LedgerError, LedgerRow
from train.data import drum_patterns

TICKS = 480


def take(folder: Path, strokes: Sequence[tuple[float, int, int]], title: str) -> LedgerRow:
    """A corpus with one take: strokes (quarters, key, velocity)."""
    track = mido.MidiTrack()
    now = 0
    for at, key, velocity in sorted(strokes):
        tick = round(at * TICKS)
        track.append(mido.Message("note_on", channel=9, note=key, velocity=velocity, time=tick - now))
        now = tick
    file = mido.MidiFile(ticks_per_beat=TICKS, tracks=[track, mido.MidiTrack()])
    track.append(mido.MetaMessage("end_of_track", time=TICKS))
    data = io.BytesIO()
    file.save(file=data)
    return small_corpus(folder, "take.mid", data.getvalue(), title=title, role="drums")


def test_strokes_keep_their_timing_and_velocity(tmp_path: Path) -> None:
    # In 4/4 a step is a third of a quarter: a late kick, a sixteenth, and a snare before the bar line.
    strokes = [(0.02, 36, 90), (0.25, 22, 40), (2.0, 40, 110), (3.95, 38, 30)]
    row = take(tmp_path, strokes, "funk/groove1 beat, 120 bpm, 4-4")
    played = read_take(tmp_path, row)
    assert (played.style, played.bpm, played.is_fill, played.meter) == ("funk", 120.0, False, (4, 4))
    first, second = played.bars
    assert [(s.step, s.drum, s.velocity) for s in first.strokes] == [(0, 36, 90), (1, 42, 40), (6, 38, 110)]
    offsets = [s.offset for s in first.strokes]
    assert offsets == pytest.approx([0.06, -0.25, 0.0], abs=0.01)
    assert [(s.step, s.drum) for s in second.strokes] == [(0, 38)]
    assert second.strokes[0].offset == pytest.approx(-0.15, abs=0.01)


def test_fills_and_other_meters(tmp_path: Path) -> None:
    row = take(tmp_path, [(0.0, 36, 90), (3.0, 38, 90), (3.25, 51, 70)], "jazz fill, 96 bpm, 3-4")
    played = read_take(tmp_path, row)
    assert (played.style, played.is_fill, played.meter) == ("jazz", True, (3, 4))
    assert [len(bar.strokes) for bar in played.bars] == [1, 2]
    assert played.bars[1].strokes[1].step == 1


def test_a_title_without_tempo_is_refused(tmp_path: Path) -> None:
    row = take(tmp_path, [(0.0, 36, 90)], "some drums")
    with pytest.raises(LedgerError, match=r"take\.mid: its title must be like"):
        read_take(tmp_path, row)


def test_a_take_without_strokes_is_refused(tmp_path: Path) -> None:
    row = take(tmp_path, [], "funk beat, 100 bpm, 4-4")
    with pytest.raises(ValueError, match=r"take\.mid: no drum strokes"):
        read_take(tmp_path, row)


def test_the_store_gives_back_what_was_read(tmp_path: Path) -> None:
    row = take(tmp_path, [(0.02, 36, 90), (9.0, 38, 30)], "rock/groove3 beat, 90 bpm, 4-4")
    bars = drum_patterns.build([(tmp_path, row)], tmp_path / "drums.npz")
    (stored,) = drum_patterns.load(tmp_path / "drums.npz", "train")
    read = read_take(tmp_path, row)
    assert bars == len(read.bars) == 3
    assert read.bars[1].strokes == ()
    assert (stored.id, stored.style, stored.bpm, stored.meter) == (read.id, "rock", 90.0, (4, 4))
    for kept, bar in zip(stored.bars, read.bars, strict=True):
        assert [(s.step, s.drum, s.velocity) for s in kept.strokes] == [
            (s.step, s.drum, s.velocity) for s in bar.strokes
        ]
        assert [s.offset for s in kept.strokes] == pytest.approx([s.offset for s in bar.strokes], abs=1e-4)
    assert drum_patterns.load(tmp_path / "drums.npz", "test") == []


def test_every_key_of_the_kit_has_a_drum() -> None:
    """The keys that occur in Groove MIDI."""
    used = {22, 26, 36, 37, 38, 40, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 55, 57, 58, 59}
    assert used <= set(DRUM_OF_KEY)
