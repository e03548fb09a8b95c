"""Pairs of notes and sound: crops of songs played by the band, for the audio decoder and encoder.

A crop is a little piece of its own: the notes that start in it, played from silence. Stored are its
notes, a dry mono stem for each group, as loud as each of its channels (what the audio decoder is to
make), and the spectrum of the mix with its room (what the audio encoder hears).

Letters: N notes, G groups that play, n samples, T score frames, F rows of a spectrum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.files.whole import whole_file
from appliance.grid import FRAME_SAMPLES, SAMPLE_RATE_HZ
from appliance.music.note_rows import ALL_GROUPS, note_rows, score_of
from appliance.music.score import STYLES, Score
from appliance.networks.log_frequency import spectrum_rows
from appliance.packs.sounds import DEFAULT_SOUNDS, StyleSounds
from appliance.playing.reverb import PARTITION_SAMPLES, Reverb, impulse_response
from appliance.playing.soundfont_band import SoundFont, render_stems
from train.data.song_cache import CachedSong

CROP_FRAMES = 172
CROP_SAMPLES = CROP_FRAMES * FRAME_SAMPLES
CROP_S = CROP_SAMPLES / SAMPLE_RATE_HZ
"""8 s."""

FEWEST_NOTES = 6
FULL_SCALE = 32_767
LOUDEST = 200.0
"""Spectra are stored as bytes: this many of them are a full-scale sine."""

Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Render:
    """``notes`` (N, 5) as in a song; ``groups`` (G,) indices; ``stems`` (G, n); ``spectrum`` (F, T) bytes."""

    style: str
    notes: NDArray[np.float32]
    groups: NDArray[np.int64]
    stems: Samples
    spectrum: NDArray[np.uint8]

    @property
    def score(self) -> Score:
        """The notes that are played."""
        return score_of(self.notes, CROP_S)

    def stem(self, number: int) -> NDArray[np.float32]:
        """Stem ``number`` (n,) as it was played."""
        return self.stems[number].astype(np.float32) / FULL_SCALE


def dry(style: str) -> StyleSounds:
    """The sounds of ``style`` with their gain, in the middle and without a room."""
    plain = {"pan": 0.0, "reverb_db": None}
    return {group: sound.model_copy(update=plain) for group, sound in DEFAULT_SOUNDS[style].items()}


def build(
    songs: Sequence[CachedSong],
    soundfont: Path,
    folder: Path,
    count: int,
    workers: int,
    on_done: Callable[[str], None] = lambda _: None,
) -> None:
    """Play ``count`` crops, an equal number of every style; those already stored are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = []
    for number in range(count):
        path = folder / f"{number:05d}.npz"
        crop = _crop(songs, STYLES[number % len(STYLES)], np.random.default_rng([7, number]))
        if not path.exists():
            jobs.append((crop, STYLES[number % len(STYLES)], soundfont, path))
    with ProcessPoolExecutor(workers) as pool:
        for name in pool.map(_store, *zip(*jobs, strict=True), chunksize=4) if jobs else ():
            on_done(name)


def load_all(folder: Path, stems: bool) -> list[Render]:
    """The stored crops in their order, with or without their ``stems``.

    Raises:
        FileNotFoundError: there are none.
    """
    paths = sorted(folder.glob("[0-9]" * 5 + ".npz"))
    if not paths:
        raise FileNotFoundError(f"{folder}: no renders; run `python -m train renders` first")
    return [load(path, stems) for path in paths]


def load(path: Path, stems: bool = True) -> Render:
    """One stored crop; without its ``stems`` (0, n) it is small."""
    with np.load(path, allow_pickle=False) as arrays:
        return Render(
            STYLES[int(arrays["style"])],
            arrays["notes"],
            arrays["groups"],
            arrays["stems"] if stems else np.zeros((0, CROP_SAMPLES), np.int16),
            arrays["spectrum"],
        )


def _crop(songs: Sequence[CachedSong], style: str, rng: np.random.Generator) -> Score:
    """A random place of a random song in a random transposition, where something is played."""
    while True:
        song = songs[rng.integers(len(songs))]
        notes = song.scores[style].astype(np.float64)
        first_s = rng.uniform(0.0, max(0.1, song.duration_s - CROP_S))
        notes = notes[(notes[:, 0] >= first_s) & (notes[:, 0] < first_s + CROP_S - 0.1)]
        if len(notes) >= FEWEST_NOTES:
            notes[:, :2] = np.minimum(notes[:, :2] - first_s, CROP_S)
            moved = score_of(notes.astype(np.float32), CROP_S)
            return moved.transposed(int(rng.integers(-6, 6)))


@lru_cache(maxsize=1)
def _font(path: Path) -> SoundFont:
    return SoundFont(path)


def _store(score: Score, style: str, soundfont: Path, path: Path) -> str:
    blocks = list(render_stems(score, dry(style), _font(soundfont), CROP_SAMPLES))
    groups = score.groups()
    wide = [np.concatenate([b.stems[g] for b in blocks]) for g in groups]
    stems = np.stack([stem.mean(axis=1) for stem in wide])
    spectrum = spectrum_rows(stems.sum(axis=0) + room(stems, groups, style))
    stems *= np.array([_width(stem) for stem in wide], np.float32)[:, None]
    with whole_file(path) as file:
        np.savez(
            file,
            style=np.array(STYLES.index(style)),
            notes=note_rows(score, np.float32),
            groups=np.array([ALL_GROUPS.index(g) for g in groups]),
            stems=np.clip(np.rint(stems * FULL_SCALE), -FULL_SCALE, FULL_SCALE).astype(np.int16),
            spectrum=np.clip(np.rint(spectrum * LOUDEST), 0, 255).astype(np.uint8),
        )
    return path.stem


def _width(stem: NDArray[np.float32]) -> float:
    """How much louder a channel of ``stem`` (n, 2) is than their mean: what wide samples lose in mono."""
    one, both = np.mean(np.square(stem)), np.mean(np.square(stem.mean(axis=1)))
    return float(np.sqrt(one / both)) if both > 0.25 * one > 0.0 else 1.0


def room(stems: NDArray[np.float32], groups: Sequence[str], style: str) -> NDArray[np.float32]:
    """What the room answers, in mono, to dry ``stems`` (G, n) of ``groups``: (n,)."""
    sends = [
        stem * np.float32(10.0 ** (level_db / 20.0))
        for stem, group in zip(stems, groups, strict=True)
        if (level_db := DEFAULT_SOUNDS[style][group].reverb_db) is not None
    ]
    samples = stems.shape[1]
    if not sends:
        return np.zeros(samples, np.float32)
    reverb = Reverb(impulse_response())
    sent = np.zeros(-(-samples // PARTITION_SAMPLES) * PARTITION_SAMPLES, np.float32)
    sent[:samples] = np.sum(sends, axis=0)
    parts = [np.repeat(part[:, None], 2, axis=1) for part in sent.reshape(-1, PARTITION_SAMPLES)]
    wet = np.concatenate([reverb.process(part) for part in parts])[:samples]
    answer: NDArray[np.float32] = wet.mean(axis=1)
    return answer
