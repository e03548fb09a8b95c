"""Training goes on with more condition rows than before, and the music is the same until it does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from appliance.music.dials import DIALS
from appliance.music.keys import Key
from appliance.music.note_rows import note_rows
from appliance.music.score import STYLES, BeatGrid, Note, Score
from appliance.networks.condition_rows import (
    CONDITION_ROWS,
    DIAL_COUNT,
    FIRST_CONDITION_ROWS,
    RHYTHM_ROWS,
    condition_rows,
    style_row,
)
from appliance.packs.dial_table import DialTable, Spread
from train.checkpoints.adopt import with_all_rows
from train.corpus.chord_symbols import SongChord, WrittenChord
from train.data.latents import SongLatents
from train.data.song_cache import CachedSong
from train.data.windows import Dropout, WindowSource
from train.networks.denoiser import DenoiserConfig
from train.networks.generator import Generator

NEW = DenoiserConfig(width=32, blocks=2, heads=2, condition_blocks=1, time_features=16)
OLD = replace(NEW, rows=FIRST_CONDITION_ROWS)
FRAMES = 192
RHYTHM = slice(FIRST_CONDITION_ROWS, FIRST_CONDITION_ROWS + RHYTHM_ROWS)


def test_the_new_rows_have_no_effect_at_first() -> None:
    old, new = Generator(OLD).eval(), Generator(NEW).eval()
    new.load_state_dict(with_all_rows(dict(old.state_dict())))
    rows, style = torch.randn(1, CONDITION_ROWS, FRAMES), torch.from_numpy(style_row(1))[None]
    with torch.no_grad():
        was, _ = old.condition(rows[:, :FIRST_CONDITION_ROWS], style)
        now, _ = new.condition(rows, style)
    assert torch.allclose(was, now, atol=1e-6)


def test_a_network_with_all_rows_stays_as_it_is() -> None:
    weights = dict(Generator(NEW).state_dict())
    assert all(torch.equal(w, weights[name]) for name, w in with_all_rows(weights).items())


def song(onsets_s: list[float]) -> CachedSong:
    grid = BeatGrid(tuple(0.5 * k for k in range(33)), tuple(range(0, 33, 4)), 1.0, 4)
    notes = [Note(at, at + 0.2, 60, 80, "keys") for at in onsets_s]
    rows = note_rows(Score.of(notes, 16.0), np.float32)
    parts = dict.fromkeys(STYLES, rows)
    silent, no_plan = np.zeros((0, 4), np.float32), np.zeros((24, 86), np.float32)
    return CachedSong("made", "train", 16.0, Key(0, "major"), grid, silent, no_plan, parts)


def source(tmp_path: Path, dropout: Dropout) -> WindowSource:
    made = song([0.0, 1.0, 2.0, 8.5])
    np.save(tmp_path / "made.npy", np.zeros((1, 64, made.frames), np.float16))
    latents = SongLatents(np.zeros((1, 4, made.frames // 2), np.float16), np.array([0]), np.array([0]))
    zeros = np.zeros(4, np.float32)
    return WindowSource([made], {"made": latents}, tmp_path, tmp_path / "none", zeros, zeros + 1, dropout)


def test_windows_show_the_rhythm_of_their_own_notes(tmp_path: Path) -> None:
    always = Dropout(everything=0.0, rhythm=0.0, rhythm_bars=0.0)
    window = source(tmp_path, always).window(172, np.random.default_rng(0))
    low, mid, high, given = window["rows"][RHYTHM]
    assert mid.sum() in (1.0, 4.0)  # a window of 16 s, from the start or from the middle on
    assert not low.any() and not high.any() and given.mean() > 0.5


def test_the_rhythm_is_hidden_at_random_and_in_parts(tmp_path: Path) -> None:
    never = source(tmp_path, Dropout(everything=0.0, rhythm=1.0))
    assert not any(never.window(64, np.random.default_rng(k))["rows"][RHYTHM].any() for k in range(8))
    parts = source(tmp_path, Dropout(everything=0.0, rhythm=0.0, rhythm_bars=1.0))
    shares = {float(parts.window(172, np.random.default_rng(k))["rows"][RHYTHM][3].mean()) for k in range(8)}
    assert len(shares) > 3


def test_windows_show_what_their_own_bars_do(tmp_path: Path) -> None:
    made = source(tmp_path, Dropout(everything=0.0, style=0.0, dials=0.0))
    sums = np.ones((len(STYLES), DIAL_COUNT, 2, 10), np.float32)
    sums[0, :, 0] = 3.0  # every attribute of the piano's bars is 3, but density, a logarithm
    (tmp_path / "bars").mkdir()
    np.save(tmp_path / "bars" / "made.npy", sums)
    spread = Spread(mean=1.0, sd=4.0, bar_mean=1.0, bar_sd=1.0)
    table = DialTable(songs=1, styles={STYLES[0]: dict.fromkeys(DIALS, spread)})
    shown = replace(made, bars=tmp_path / "bars", table=table).window(172, np.random.default_rng(1))["rows"]
    settings, given = np.split(shown[RHYTHM.stop :], 2)
    assert given.any() and set(settings[1:][given[1:] == 1].tolist()) == {0.5}
    assert not settings[given == 0].any()
    assert not made.window(172, np.random.default_rng(1))["rows"][RHYTHM.stop :].any()  # nobody measured


@pytest.mark.parametrize("chart", [0.0, 1.0])
def test_a_written_plan_is_that_of_the_notes_or_of_the_chords(tmp_path: Path, chart: float) -> None:
    always = Dropout(everything=0.0, plan=0.0, true_plan=1.0, chart=chart)
    made = source(tmp_path, always)
    notes = np.full((24, 86), 0.25, np.float32)
    chords = (SongChord(0.0, WrittenChord(9, "m", 0)),)  # A minor over C
    made = replace(made, songs=[replace(made.songs[0], plan=notes, chords=chords)])
    plan = made.window(64, np.random.default_rng(0))["rows"][FIRST_CONDITION_ROWS - 25 : FIRST_CONDITION_ROWS]
    assert set(plan[24].tolist()) == {1.0}  # certain
    if chart:
        assert np.flatnonzero(plan[:24, 0]).tolist() == [0, 4, 9, 12] and plan[0, 0] == 1.0
    else:
        assert set(plan[:24, 0].tolist()) == {0.25}


def test_dials_say_where_they_are_set() -> None:
    dials = np.full((7, 8), np.nan, np.float32)
    dials[2, 4:] = -1.5
    rows = condition_rows(8, dials=dials)[RHYTHM.stop :]
    assert rows.shape == (14, 8)
    assert rows[2].tolist() == [0.0] * 4 + [-1.5] * 4
    assert rows[7 + 2].tolist() == [0.0] * 4 + [1.0] * 4
    assert np.count_nonzero(rows) == 8
