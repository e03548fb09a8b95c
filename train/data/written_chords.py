"""The chords of a song slot by slot, as targets of the chord network.

A song may have chords of any quality. The network knows ten, so others count as the nearest: the one that
shares most tones with it.

Letters: S slots.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.composing.harmony import state_of
from appliance.networks.chord_rows import NO_CHORD_STATE, PLAN_RATE_HZ, means, slot_edges
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
    starts = np.array([change.beat for change in song.chords])
    chords = [change.chord for change in song.chords]
    states = np.array([NO_CHORD_STATE if c is None else state_of(c.quality, c.root) for c in chords])
    basses = np.array([-1 if c is None else c.bass for c in chords])
    which = np.clip(np.searchsorted(starts, at, side="right") - 1, 0, len(starts) - 1)
    sounds = means(song.plan[:12], edges_s * PLAN_RATE_HZ).max(axis=0) >= _SILENT_SHARE
    return np.where(sounds, states[which], NO_CHORD_STATE), np.where(sounds, basses[which], -1)
