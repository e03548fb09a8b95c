"""The song cache: one ``.npz`` per song with all that training needs, except audio.

It is built once from the corpus, so training never parses a score again. Its index holds the hash of the
ledger rows, so that a checkpoint can name its training data.

Letters: N notes, V sung notes, P plan frames.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.files.whole import whole_file
from appliance.grid import FRAME_RATE_HZ, FRAMES_PER_PLAN
from appliance.music.keys import Key
from appliance.music.note_rows import note_rows
from appliance.music.score import STYLES, BeatGrid, Note
from appliance.music.sounding import chroma_and_bass, coverage
from train.arrange import arrange
from train.corpus.ledger import LedgerRow, rows_hash
from train.corpus.reader import read_song
from train.corpus.song import Song

SHORTEST_S = 10.0
"""Shorter songs (four of the corpus) are left out: they have no form to learn."""


@dataclass(frozen=True, slots=True)
class CachedSong:
    """A song as arrays. ``scores[style]`` (N, 5): start_s, end_s, pitch, velocity, group index.

    ``voice`` (V, 4): start_s, end_s, pitch, 1 where a syllable begins. ``plan`` (24, P): see
    :func:`written_plan`.
    """

    id: str
    split: str
    duration_s: float
    key: Key
    grid: BeatGrid
    voice: NDArray[np.float32]
    plan: NDArray[np.float32]
    scores: dict[str, NDArray[np.float32]]

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
    corpus: Path,
    rows: Iterable[LedgerRow],
    folder: Path,
    workers: int,
    on_done: Callable[[str], None] = lambda _: None,
) -> None:
    """Read, arrange and store the songs of ``rows``; stored songs are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(rows)
    missing = [row for row in rows if not (folder / f"{row.id}.npz").exists()]
    with ProcessPoolExecutor(workers) as pool:
        for song_id in pool.map(_store, missing, [corpus] * len(missing), [folder] * len(missing)):
            on_done(song_id)
    stored = [row for row in rows if (folder / f"{row.id}.npz").exists()]
    index = {"ledger_rows_sha256": rows_hash(stored), "songs": {r.id: r.split for r in stored}}
    (folder / "index.json").write_text(json.dumps(index, indent=1) + "\n")


def _store(row: LedgerRow, corpus: Path, folder: Path) -> str:
    song = read_song(corpus, row)
    if song.duration_s >= SHORTEST_S:
        with whole_file(folder / f"{row.id}.npz") as file:
            np.savez(file, **_arrays(song))
    return row.id


def _arrays(song: Song) -> dict[str, NDArray[np.float32]]:
    seed = int(song.sha256[:8], 16)
    scores = {f"score_{s}": note_rows(arrange(song, s, seed + i), np.float32) for i, s in enumerate(STYLES)}
    voice = [(n.start_s, n.end_s, n.pitch, float(bool(n.syllable))) for n in song.voice]
    mode = 0.0 if song.key.mode == "major" else 1.0
    return {
        **scores,
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
            scores={style: arrays[f"score_{style}"] for style in STYLES},
        )


def load_split(folder: Path, split: str) -> list[CachedSong]:
    """All stored songs of a split ('train', 'val', 'test'), sorted by id.

    Raises:
        FileNotFoundError: the cache was not built; run ``python -m train songs``.
    """
    songs = json.loads((folder / "index.json").read_text())["songs"]
    return [load_song(folder, song_id, s) for song_id, s in sorted(songs.items()) if s == split]


def ledger_hash(folder: Path) -> str:
    """The hash of the ledger rows behind the cache."""
    return str(json.loads((folder / "index.json").read_text())["ledger_rows_sha256"])
