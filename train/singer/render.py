"""Many songs to FLAC files, several processes at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import soundfile

from appliance.files.whole import whole_file
from train.singer.sing import sing
from train.singer.voices import Split, sample_voice

if TYPE_CHECKING:
    from train.corpus.song import Song


def render_songs(
    songs: Iterable[Song],
    out_dir: Path,
    seeds: Sequence[int],
    workers: int = 1,
    done: Callable[[Path], None] | None = None,
) -> list[Path]:
    """Sing every song once for each seed: ``out_dir/SONG-SEED.flac``, 44.1 kHz mono 16 bit.

    A seed chooses voice and performance; songs of the test split are sung by held-out voices. Files that
    exist are kept, so an interrupted run goes on where it stopped. ``done`` is called with each path as
    it is ready, in order. Returns all paths.

    Raises:
        MachineError: espeak-ng or pyworld is not installed.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    jobs = [(song, seed) for song in songs for seed in seeds]
    paths: list[Path] = []

    def collect(ready: Iterable[Path]) -> list[Path]:
        for path in ready:
            paths.append(path)
            if done is not None:
                done(path)
        return paths

    if workers <= 1:
        return collect(map(_render, jobs, repeat(out_dir)))
    # Fresh processes: espeak-ng keeps its state in globals, and threads of a parent do not survive a fork.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return collect(pool.map(_render, jobs, repeat(out_dir)))


def voice_split(song: Song) -> Split:
    """Which voices may sing a song: test songs the held-out ones, all others those of training."""
    return "test" if song.split == "test" else "train"


def _render(job: tuple[Song, int], out_dir: Path) -> Path:
    song, seed = job
    path = out_dir / f"{song.id}-{seed}.flac"
    if not path.exists():
        singing = sing(song, sample_voice(seed, voice_split(song)), seed)
        with whole_file(path) as file:
            soundfile.write(file.name, singing.audio, singing.rate_hz, format="FLAC", subtype="PCM_16")
    return path
