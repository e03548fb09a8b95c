"""What songs of each style do: the attributes that the dials turn, measured on arranged songs.

The result is a :class:`appliance.packs.dial_table.DialTable`, which checkpoint and pack carry.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.music.attributes import Measured, measure, value
from appliance.music.bar_lines import BarLines
from appliance.music.chord_chart import Chart, ChordSpan
from appliance.music.chord_names import NO_CHORD, Chord
from appliance.music.dials import DIALS
from appliance.music.keys import spell
from appliance.music.note_rows import score_of
from appliance.music.score import STYLES
from appliance.packs.dial_table import DialTable, Spread
from train.data.song_cache import CachedSong, load_song

Values = NDArray[np.float64]
"""Attributes in the order of the dials: (K, 7) of K songs or bars; NaN where nothing could be measured."""


def statistics(folder: Path, workers: int, on_done: Callable[[str], None] = lambda _: None) -> DialTable:
    """The table of the training songs in the cache ``folder``; at least one song.

    Raises:
        FileNotFoundError: the cache was not built; run ``python -m train songs``.
        ValueError: an attribute could be measured on none of the songs.
    """
    songs = json.loads((folder / "index.json").read_text())["songs"]
    names = [song_id for song_id, split in sorted(songs.items()) if split == "train"]
    of_songs: dict[str, list[Values]] = {style: [] for style in STYLES}
    of_bars: dict[str, list[Values]] = {style: [] for style in STYLES}
    with ProcessPoolExecutor(workers) as pool:
        for name, found in zip(names, pool.map(partial(_measured, folder), names), strict=True):
            for style, (song, bars) in found.items():
                of_songs[style].append(song)
                of_bars[style].append(bars)
            on_done(name)
    styles = {style: spreads(np.stack(of_songs[style]), np.concatenate(of_bars[style])) for style in STYLES}
    return DialTable(songs=len(names), styles=styles)


def spreads(of_songs: Values, of_bars: Values) -> dict[str, Spread]:
    """Mean and standard deviation of each attribute over songs, and over bars.

    Raises:
        ValueError: an attribute could be measured on none of the songs.
    """
    for k, dial in enumerate(DIALS):
        if np.isnan(of_songs[:, k]).all():
            raise ValueError(f"{dial}: it can be measured on none of the songs; build the songs again")
    return {
        dial: Spread(
            mean=_rounded(np.nanmean(of_songs[:, k])),
            sd=_rounded(np.nanstd(of_songs[:, k])),
            bar_mean=_rounded(np.nanmean(of_bars[:, k])),
            bar_sd=_rounded(np.nanstd(of_bars[:, k])),
        )
        for k, dial in enumerate(DIALS)
    }


def _rounded(number: np.floating) -> float:  # type: ignore[type-arg]
    return round(float(number), 4)


def _measured(folder: Path, name: str) -> dict[str, tuple[Values, Values]]:
    song = load_song(folder, name, "train")
    return {style: attributes_of(song, style) for style in STYLES}


def attributes_of(song: CachedSong, style: str) -> tuple[Values, Values]:
    """The attributes of a song in a style: of the whole (7,), and of each bar (B, 7) without the upbeat."""
    lines = BarLines.of(song.grid, song.duration_s)
    against = Measured(lines, written_chart(song, lines), song.voice[:, :3].astype(np.float64))
    sums = measure(score_of(song.scores[style], song.duration_s).notes, against)
    whole = np.array([value(dial, sums[dial]) for dial in DIALS])
    bars = [[value(dial, sums[dial], [bar]) for dial in DIALS] for bar in range(1, lines.bars + 1)]
    return whole, np.array(bars).reshape(-1, len(DIALS))


def written_chart(song: CachedSong, lines: BarLines) -> Chart:
    """The chords of a song in seconds."""
    beats = np.array([chord.beat for chord in song.chords], np.float64)
    edges: Sequence[float] = [*lines.seconds(beats).tolist(), song.duration_s] if len(beats) else []
    chart = []
    for start_s, end_s, held in zip(edges, edges[1:], song.chords, strict=False):
        label = NO_CHORD
        if held.chord is not None:
            bass = "" if held.chord.bass == held.chord.root else spell(held.chord.bass, song.key)
            label = Chord(spell(held.chord.root, song.key), held.chord.quality, bass).label
        if min(end_s, song.duration_s) > max(start_s, 0.0):
            chart.append(ChordSpan(max(start_s, 0.0), min(end_s, song.duration_s), label))
    return chart
