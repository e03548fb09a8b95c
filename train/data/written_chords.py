"""The chords of a song slot by slot, as targets of the chord network.

A song may have chords of any quality. The network knows ten, so others count as the nearest: the one that
shares most tones with it.

Letters: S slots.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from appliance.music.chord_quality import QUALITIES, tones_of
from appliance.networks.chord_rows import CHORD_QUALITIES, NO_CHORD_STATE, PLAN_RATE_HZ, means, slot_edges
from train.data.song_cache import CachedSong

_SILENT_SHARE = 0.1
"""A slot in which the written part sounds for less than this has no chord."""


def chord_slots(song: CachedSong) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Chord state and bass, (S,) each, of the slots of the song's beats; bass -1 where there is no chord."""
    edges_s = slot_edges(song.grid, song.duration_s)
    beats = np.asarray(song.grid.beats_s)
    # Beats before the first and after the last one go on at their tempo.
    middles_s = (edges_s[:-1] + edges_s[1:]) / 2
    at = np.interp(middles_s, beats, np.arange(len(beats)))
    at = np.where(middles_s < beats[0], -0.5, np.where(middles_s > beats[-1], len(beats) - 0.5, at))
    starts = np.array([chord.beat for chord in song.chords])
    states = np.array([_state(chord.chord) for chord in song.chords])
    basses = np.array([-1 if chord.chord is None else chord.chord.bass for chord in song.chords])
    which = np.clip(np.searchsorted(starts, at, side="right") - 1, 0, len(starts) - 1)
    sounds = means(song.plan[:12], edges_s * PLAN_RATE_HZ).max(axis=0) >= _SILENT_SHARE
    return np.where(sounds, states[which], NO_CHORD_STATE), np.where(sounds, basses[which], -1)


def _state(chord) -> int:  # type: ignore[no-untyped-def]
    return (
        NO_CHORD_STATE if chord is None else 12 * CHORD_QUALITIES.index(nearest(chord.quality)) + chord.root
    )


@cache
def nearest(quality: str) -> str:
    """The network's quality that is nearest to ``quality``; of equals the first.

    >>> nearest("9"), nearest("m6"), nearest("6"), nearest("7sus4")
    ('7', 'm', '', 'sus4')
    """
    if quality in CHORD_QUALITIES:
        return quality
    tones = set(tones_of(quality))
    return min(CHORD_QUALITIES, key=lambda known: len(tones ^ set(QUALITIES[known])))
