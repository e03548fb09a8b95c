"""What songs of each style do: the attributes that the dials turn, measured on arranged songs.

The result is a :class:`appliance.packs.dial_table.DialTable`, which checkpoint and pack carry. What each bar
does is stored too, because the denoiser is shown it (:mod:`train.data.shown_dials`).

Letters: K songs or bars, S styles, D dials, B bars.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.files.whole import whole_file
from appliance.music.attributes import Measured, Sums, measure, value
from appliance.music.bar_lines import BarLines
from appliance.music.chord_chart import Chart, ChordSpan
from appliance.music.chord_names import NO_CHORD, Chord
from appliance.music.dials import DIALS
from appliance.music.keys import spell
from appliance.music.note_rows import score_of
from appliance.music.score import STYLES
from appliance.packs.dial_table import DialTable, Spread
from train.data.song_cache import CachedSong, load_song

BARS_FOLDER = "dials"
"""Folder of the cache with what each bar does."""

Values = NDArray[np.float64]
"""Attributes in the order of the dials: (K, D); NaN where nothing could be measured."""


def statistics(
    folder: Path, bars: Path, workers: int, on_done: Callable[[str], None] = lambda _: None
) -> DialTable:
    """The table of the training songs in the cache ``folder``; at least one song.

    The sums of each training and validation song are stored in the folder ``bars`` as ``ID.npy``
    (S, D, 2, B + 1): numerator and denominator of every attribute in each bar, the upbeat first. What is
    stored there already is not measured again.

    Raises:
        FileNotFoundError: the cache was not built; run ``python -m train songs``.
        ValueError: an attribute could be measured on none of the songs.
    """
    songs = json.loads((folder / "index.json").read_text())["songs"]
    names = [song_id for song_id, split in sorted(songs.items()) if split in ("train", "val")]
    of_songs: dict[str, list[Values]] = {style: [] for style in STYLES}
    of_bars: dict[str, list[Values]] = {style: [] for style in STYLES}
    bars.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers) as pool:
        for name, sums in zip(
            names, pool.map(partial(_stored, folder, bars), names, chunksize=4), strict=True
        ):
            on_done(name)
            if songs[name] != "train":
                continue
            for style, own in zip(STYLES, sums, strict=True):
                of_songs[style].append(_values(own.sum(axis=2, keepdims=True))[0])
                of_bars[style].append(_values(own)[1:])
    styles = {style: spreads(np.stack(of_songs[style]), np.concatenate(of_bars[style])) for style in STYLES}
    return DialTable(songs=sum(songs[name] == "train" for name in names), styles=styles)


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


def _stored(folder: Path, bars: Path, name: str) -> NDArray[np.float32]:
    """The sums of a song (S, D, 2, B + 1), measured if they are not stored yet."""
    path = bars / f"{name}.npy"
    if path.is_file():
        stored: NDArray[np.float32] = np.load(path)
        return stored
    song = load_song(folder, name, "")
    sums = np.array([sums_of(song, style) for style in STYLES], np.float32)
    with whole_file(path) as file:
        np.save(file, sums)
    return sums


def sums_of(song: CachedSong, style: str) -> list[Sums]:
    """Numerator and denominator of every attribute in each bar of a song in a style, the upbeat first."""
    lines = BarLines.of(song.grid, song.duration_s)
    against = Measured(lines, written_chart(song, lines), song.voice[:, :3].astype(np.float64))
    sums = measure(score_of(song.scores[style], song.duration_s).notes, against)
    return [sums[dial] for dial in DIALS]


def _values(sums: NDArray[np.float32]) -> Values:
    """The attributes (K, D) of ``sums`` (D, 2, K)."""
    columns = [
        [value(dial, (top, bottom), [k]) for k in range(sums.shape[2])]
        for dial, (top, bottom) in zip(DIALS, sums.astype(np.float64), strict=True)
    ]
    return np.array(columns).T


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
