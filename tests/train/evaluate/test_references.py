"""Reading references that are recordings: which excerpts are taken, and what the table says."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.music.keys import Key
from appliance.music.score import BeatGrid
from train.data.song_cache import CachedSong
from train.evaluate.sound.references import Read, as_markdown, excerpts


def song(number: int, duration_s: float = 60.0) -> CachedSong:
    """Beats of half a second in bars of three, a note on each."""
    beats_s = tuple(0.25 + 0.5 * k for k in range(int(2 * duration_s) - 1))
    notes = np.array([(b, b + 0.4, 60, 80, 0) for b in beats_s], np.float32)
    grid = BeatGrid(beats_s, tuple(range(0, len(beats_s), 3)), 1.0, 3)
    no_voice, no_plan = np.zeros((0, 4), np.float32), np.zeros((24, 4), np.float32)
    scores = {"piano": notes, "strings": notes}
    return CachedSong(f"s{number}", "test", duration_s, Key(0, "major"), grid, no_voice, no_plan, scores)


def test_excerpts_begin_with_a_bar_and_keep_its_beats() -> None:
    songs = [song(k) for k in range(5)] + [song(9, 8.0)]
    chosen = excerpts(songs, 4, 20.0, ("piano", "strings"))
    assert [excerpt.style for excerpt in chosen] == ["piano", "strings", "piano", "strings"]
    for excerpt, again in zip(chosen, excerpts(songs, 4, 20.0, ("piano", "strings")), strict=True):
        assert excerpt == again and excerpt.score.duration_s == 20.0
        assert excerpt.grid.downbeats[:2] == (0, 3) and excerpt.grid.beats_s[0] == pytest.approx(
            0.0, abs=1e-6
        )
        starts = [note.start_s for note in excerpt.score.notes]
        assert starts[:3] == pytest.approx([0.0, 0.5, 1.0], abs=1e-4) and max(starts) < 20.0
    assert len(excerpts(songs, 99, 20.0, ("piano",))) == 5  # one song is too short


def test_the_table_has_the_rank_correlation() -> None:
    """Five excerpts: register in the same order, voices in the opposite one, bars sure in two."""
    results = [
        Read(
            {"register": (60.0 + k, 61.0 + 2.0 * k), "voices": (1.0 + k, 9.0 - k)},
            (1.0 + k, 1.0 + k),
            same_groups=k > 0,
            bars=(True, False, None, None, None)[k],
        )
        for k in range(5)
    ]
    text = as_markdown(results)
    assert "| register | 5 | 1.00 | 3.00 | 1.41 |" in text and "| voices | 5 | -1.00 |" in text
    assert "| strokes a second | 5 | 1.00 | 0.00 | 1.41 |" in text and "density" not in text
    assert "right in 4 of 5 excerpts" in text and "sure in 2; in 1 of these the bars are right" in text
