"""Renders many songs to FLAC files, in several processes."""

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
    """Sing every song once for each seed, into ``out_dir/SONG-SEED.flac`` (44.1 kHz, mono, 16 bit).

    A seed chooses voice and performance; songs of the test split are sung by held-out voices. Existing files
    are kept, so an interrupted run can continue. ``done`` is called with each finished path, in order.
    Returns all paths.

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
    # Spawned processes: espeak-ng keeps its state in globals, and a parent's threads do not survive a fork.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return collect(pool.map(_render, jobs, repeat(out_dir)))


def voice_split(song: Song) -> Split:
    """The set of voices that may sing a song: held-out voices for the test split, training voices
    otherwise."""
    return "test" if song.split == "test" else "train"


def _render(job: tuple[Song, int], out_dir: Path) -> Path:
    song, seed = job
    path = out_dir / f"{song.id}-{seed}.flac"
    if not path.exists():
        singing = sing(song, sample_voice(seed, voice_split(song)), seed)
        with whole_file(path) as file:
            soundfile.write(file.name, singing.audio, singing.rate_hz, format="FLAC", subtype="PCM_16")
    return path
