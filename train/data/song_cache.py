"""The song cache: one ``.npz`` per song with all that training needs, except audio.

It is built once from the corpus, so training never parses a score again. Its index holds the hash of the
ledger rows, so that a checkpoint can name its training data, and says which rows were left out and why.
Every song holds :data:`VERSION`; songs of an earlier version can be loaded, and :func:`build` reads them
again.

Letters: N notes, V sung notes, P plan frames, C chords.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.files.whole import whole_file
from appliance.grid import FRAME_RATE_HZ, FRAMES_PER_PLAN
from appliance.music.keys import Key
from appliance.music.note_rows import note_rows
from appliance.music.score import STYLES, BeatGrid, Note
from appliance.music.sounding import chroma_and_bass, coverage
from train.arrange import accompanied, arrange
from train.corpus.chord_symbols import SongChord
from train.corpus.ledger import LedgerError, LedgerRow, rows_hash
from train.corpus.reader import read_song
from train.corpus.song import Song
from train.data.chord_sequences import chord_arrays, chords_from, harmony_of

VERSION = 3
"""Version of what is read and stored: 2 reads every bar, joins ties across voices, and stores chords; 3 has
sixteen styles instead of eight, drums as drummers play them, and a jazz bass that walks."""

SHORTEST_S = 10.0
"""Shorter songs (four of the corpus) are left out: they have no form to learn."""


@dataclass(frozen=True, slots=True)
class CachedSong:
    """A song as arrays. ``scores[style]`` (N, 5): start_s, end_s, pitch, velocity, group index; a song of an
    earlier version has the first eight styles.

    ``voice`` (V, 4): start_s, end_s, pitch, 1 where a syllable begins. ``plan`` (24, P): see
    :func:`written_plan`. ``chords`` are :func:`train.data.chord_sequences.harmony_of`.
    """

    id: str
    split: str
    duration_s: float
    key: Key
    grid: BeatGrid
    voice: NDArray[np.float32]
    plan: NDArray[np.float32]
    scores: dict[str, NDArray[np.float32]]
    role: str = ""
    chords: tuple[SongChord, ...] = ()
    chords_are_symbols: bool = False
    """Whether ``chords`` are the score's own symbols; else they were read from its notes."""

    @property
    def frames(self) -> int:
        """Number of whole score frames in the song."""
        return int(self.duration_s * FRAME_RATE_HZ)


def written_plan(notes: Iterable[Note], duration_s: float) -> NDArray[np.float32]:
    """The plan (24, P) of a written part.

    Rows 0-11: share of the plan frame in which each pitch class sounds. Rows 12-23: the same for the lowest
    sounding note.
    """
    rate = FRAME_RATE_HZ / FRAMES_PER_PLAN
    frames = int(np.ceil(duration_s * rate))
    fine = 4  # cells per plan frame, because the lowest note can change within a frame
    spans = np.array([(n.pitch, n.start_s, n.end_s) for n in notes], np.float64).reshape(-1, 3)
    first, last = np.rint(spans[:, 1:].T * rate * fine)
    cells = coverage(spans[:, 0].astype(np.intp), first, np.maximum(first + 1, last), frames * fine)
    return chroma_and_bass(cells).reshape(24, frames, fine).mean(axis=2)


def build(
    sources: Iterable[tuple[Path, LedgerRow]],
    folder: Path,
    workers: int,
    on_done: Callable[[str], None] = lambda _: None,
) -> dict[str, str]:
    """Read, arrange and store the songs of (corpus folder, ledger row); songs of this version are kept.

    Returns the rows that were left out: why, by id.

    Raises:
        LedgerError: a licence is not allowed, or a file is missing or altered.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sources = list(sources)
    missing = [(corpus, row) for corpus, row in sources if not _is_current(folder / f"{row.id}.npz")]
    left_out: dict[str, str] = {}
    with ProcessPoolExecutor(workers) as pool:
        jobs = [pool.submit(_store, row, corpus, folder) for corpus, row in missing]
        for (_, row), job in zip(missing, jobs, strict=True):
            try:
                if reason := job.result():
                    left_out[row.id] = reason
            except LedgerError:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            on_done(row.id)
    stored = [row for _, row in sources if (folder / f"{row.id}.npz").exists()]
    index = {
        "ledger_rows_sha256": rows_hash(stored),
        "songs": {r.id: r.split for r in stored},
        "roles": {r.id: r.role for r in stored},
        "left_out": left_out,
    }
    with whole_file(folder / "index.json") as file:
        file.write((json.dumps(index, indent=1) + "\n").encode())
    return left_out


def _is_current(path: Path) -> bool:
    if not path.exists():
        return False
    with np.load(path, allow_pickle=False) as arrays:
        return "version" in arrays and int(arrays["version"]) == VERSION


def _store(row: LedgerRow, corpus: Path, folder: Path) -> str:
    """Store a song; returns why it was left out, or ""."""
    path = folder / f"{row.id}.npz"
    try:
        song = read_song(corpus, row)
        reason = "" if song.duration_s >= SHORTEST_S else f"shorter than {SHORTEST_S:g} s"
    except ValueError as error:
        reason = str(error)
    if reason:
        path.unlink(missing_ok=True)  # an earlier version may have stored it
        return reason
    with whole_file(path) as file:
        np.savez(file, **_arrays(song))
    return ""


def _arrays(song: Song) -> dict[str, NDArray[Any]]:
    seed = int(song.sha256[:8], 16)
    chords, are_symbols = harmony_of(song)
    song = accompanied(song)
    scores = {f"score_{s}": note_rows(arrange(song, s, seed + i), np.float32) for i, s in enumerate(STYLES)}
    voice = [(n.start_s, n.end_s, n.pitch, float(bool(n.syllable))) for n in song.voice]
    mode = 0.0 if song.key.mode == "major" else 1.0
    return {
        **scores,
        **chord_arrays(chords),
        "version": np.array(VERSION),
        "role": np.array(song.role),
        "chords_are_symbols": np.array(are_symbols),
        "voice": np.array(voice, np.float32).reshape(-1, 4),
        "plan": written_plan(song.written, song.duration_s),
        "beats": np.array(song.beats_s, np.float32),
        "downbeats": np.array(song.downbeats, np.float32),
        "facts": np.array([song.duration_s, song.key.tonic, mode, song.grid.meter], np.float32),
    }


def load_song(folder: Path, song_id: str, split: str) -> CachedSong:
    """One stored song."""
    with np.load(folder / f"{song_id}.npz", allow_pickle=False) as arrays:
        duration_s, tonic, mode, meter = (float(x) for x in arrays["facts"])
        grid = BeatGrid(
            tuple(arrays["beats"].tolist()), tuple(int(i) for i in arrays["downbeats"]), 1.0, int(meter)
        )
        return CachedSong(
            id=song_id,
            split=split,
            duration_s=duration_s,
            key=Key(int(tonic), "minor" if mode else "major"),
            grid=grid,
            voice=arrays["voice"],
            plan=arrays["plan"],
            scores={s: arrays[name] for s in STYLES if (name := f"score_{s}") in arrays},
            role=str(arrays["role"]) if "role" in arrays else "",
            chords=chords_from(arrays) if "chord_beats" in arrays else (),
            chords_are_symbols=_has_symbols(arrays),
        )


def _has_symbols(arrays: Mapping[str, NDArray[Any]]) -> bool:
    return "chords_are_symbols" in arrays and bool(arrays["chords_are_symbols"])


def load_split(folder: Path, split: str) -> list[CachedSong]:
    """All stored songs of a split ('train', 'val', 'test'), sorted by id.

    Raises:
        FileNotFoundError: the cache was not built; run ``python -m train songs``.
    """
    songs = splits(folder)
    return [load_song(folder, song_id, s) for song_id, s in sorted(songs.items()) if s == split]


def splits(folder: Path) -> dict[str, str]:
    """The split of each stored song, by id.

    Raises:
        FileNotFoundError: as for :func:`load_split`.
    """
    songs: dict[str, str] = json.loads((folder / "index.json").read_text())["songs"]
    return songs


def load_chords(folder: Path, split: str) -> list[tuple[Key, tuple[SongChord, ...]]]:
    """Key and chords of the stored songs of a split that have any, sorted by id; nothing else is read.

    Raises:
        FileNotFoundError: as for :func:`load_split`.
    """
    songs = json.loads((folder / "index.json").read_text())["songs"]
    found = []
    for song_id in sorted(name for name, its_split in songs.items() if its_split == split):
        with np.load(folder / f"{song_id}.npz", allow_pickle=False) as arrays:
            _, tonic, mode, _ = (float(x) for x in arrays["facts"])
            chords = chords_from(arrays) if "chord_beats" in arrays else ()
        if chords:
            found.append((Key(int(tonic), "minor" if mode else "major"), chords))
    return found


def ledger_hash(folder: Path) -> str:
    """The hash of the ledger rows behind the cache."""
    return str(json.loads((folder / "index.json").read_text())["ledger_rows_sha256"])


def summary(folder: Path) -> list[str]:
    """Number, hours and sung hours of the stored songs, by role."""
    index = json.loads((folder / "index.json").read_text())
    totals: dict[str, list[float]] = {}
    for song_id in index["songs"]:
        with np.load(folder / f"{song_id}.npz", allow_pickle=False) as arrays:
            voice, duration_s = arrays["voice"], float(arrays["facts"][0])
            are_symbols = _has_symbols(arrays)
        role = index.get("roles", {}).get(song_id) or "voice+keyboard"
        total = totals.setdefault(role, [0, 0.0, 0.0, 0])
        total[0] += 1
        total[1] += duration_s / 3600
        total[2] += float((voice[:, 1] - voice[:, 0]).sum()) / 3600
        total[3] += are_symbols
    lines = [
        f"{role}: {n:.0f} songs, {hours:.1f} h, {sung:.1f} h sung, {symbols:.0f} with chord symbols"
        for role, (n, hours, sung, symbols) in sorted(totals.items())
    ]
    return [*lines, f"left out: {len(index.get('left_out', {}))}"]
