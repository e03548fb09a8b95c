"""The originals of a pack: the onsets of the written accompaniments, with what a comparison needs.

A lead sheet has no written accompaniment, so it is no original. Neither are arrangements: they follow from
the harmony by rules.

Letters: N onsets of all songs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.music.beat_grid import snap
from appliance.music.note_rows import score_of
from appliance.novelty.onsets import TICKS, Onsets, figure_hashes, figures, placed_notes
from appliance.packs.originals import BITS, TYPES, Limits, Originals
from train.data.planted_copies import Notes
from train.data.song_cache import CachedSong
from train.data.surprise import harmony_bits, spacing_bits

WRITTEN = "piano"
"""The style that plays the written notes."""

SHORTEST_BAR = 2
"""Beats of the shortest bar; shorter ones, such as 3/8, are joined with the next."""

COMMONEST = 1500
"""Figures with more occurrences find nothing: they are in every song."""


@dataclass(frozen=True, slots=True, eq=False)
class WrittenSong:
    """A written accompaniment by its ``name`` in the ledger: its onsets and its notes, snapped to the
    beats."""

    name: str
    onsets: Onsets
    notes: Notes


def written_song(song: CachedSong) -> WrittenSong | None:
    """The written accompaniment of ``song``; None for a lead sheet."""
    if song.role == "leadsheet" or len(song.grid.beats_s) < 2:
        return None
    score = snap(score_of(song.scores[WRITTEN], song.duration_s), song.grid)  # without the player's touch
    beats, pitches = placed_notes(score, song.grid)
    notes = Notes(beats, pitches, _bars(song.grid.downbeats), max(song.grid.meter, SHORTEST_BAR))
    return WrittenSong(song.id, notes.onsets(), notes)


def _bars(downbeats: Sequence[int]) -> NDArray[np.float64]:
    """The beats on which bars begin, without those that would make a bar too short."""
    kept: list[int] = []
    for beat in downbeats:
        if not kept or beat - kept[-1] >= SHORTEST_BAR:
            kept.append(beat)
    return np.array(kept, np.float64)


def originals_of(songs: Sequence[WrittenSong], limits: Limits) -> Originals:
    """The originals that ``songs`` are; the same songs give the same arrays."""
    counts = np.array([len(song.onsets) for song in songs], np.int64)
    firsts = np.concatenate([[0], np.cumsum(counts)])
    chords, paces, spacings, lowest = (
        np.concatenate([getattr(song.onsets, name) for song in songs])
        for name in ("pitch_classes", "paces", "spacings", "lowest")
    )
    owners = np.repeat(np.arange(len(songs), dtype=np.int64), counts)
    bars = [
        first + np.searchsorted(song.onsets.beats, song.notes.bars - 0.5 / TICKS)
        for first, song in zip(firsts, songs, strict=False)
    ]
    hashes, starts, ends = _index(songs, firsts)
    harmony = harmony_bits(chords, paces, owners)
    return Originals(
        onsets=(chords | paces << 12).astype(np.uint16),
        spacings=spacings.astype(np.uint16),
        harmony_bits=_stored(harmony),
        spacing_bits=_stored(spacing_bits(chords, spacings, lowest, owners, harmony)),
        songs=firsts.astype(np.uint32),
        bars=np.concatenate(bars).astype(np.uint32),
        hashes=hashes,
        starts=starts.astype(np.uint32),
        ends=ends.astype(np.uint32),
        names=tuple(song.name for song in songs),
        limits=limits,
    )


def _stored(bits: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.clip(np.rint(bits * BITS), 0, 255).astype(np.uint8)


def _index(
    songs: Sequence[WrittenSong], firsts: NDArray[np.int64]
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]:
    """Hashes of the figures, ascending, where the occurrences of each begin, and the last onset of each."""
    found = [figures(song.onsets.pitch_classes, song.onsets.paces)[0] for song in songs]
    hashes = figure_hashes(np.concatenate(found))
    ends = np.concatenate(
        [first + 2 + np.arange(len(numbers)) for first, numbers in zip(firsts, found, strict=False)]
    )
    order = np.argsort(hashes, kind="stable")
    hashes, ends = hashes[order], ends[order]
    unique, counts = np.unique(hashes, return_counts=True)
    kept = counts <= COMMONEST
    ends = ends[np.repeat(kept, counts)]
    return unique[kept], np.concatenate([[0], np.cumsum(counts[kept])]), ends


def originals_file(originals: Originals) -> bytes:
    """The content of ``originals.safetensors``; equal originals give equal bytes.

    The library writes the entries of its metadata in any order, so the file is put together here.
    """
    arrays = {name: getattr(originals, name) for name in TYPES}
    widest_first = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    header: dict[str, Any] = {
        "__metadata__": {
            "limits": json.dumps(originals.limits.model_dump(by_alias=True)),
            "names": json.dumps(originals.names),
        }
    }
    end = 0
    for name in widest_first:
        array = arrays[name]
        offsets = [end, end := end + array.nbytes]
        header[name] = {
            "dtype": f"U{8 * array.itemsize}",
            "shape": list(array.shape),
            "data_offsets": offsets,
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    data = b"".join(
        arrays[name].astype(arrays[name].dtype.newbyteorder("<")).tobytes() for name in widest_first
    )
    return len(text).to_bytes(8, "little") + text + data
