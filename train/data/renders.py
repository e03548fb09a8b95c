"""Pairs of notes and audio for the audio decoder and encoder: crops of songs played by the band.

A crop holds the notes that start in it, played from silence. Stored are the notes; a dry mono stem for each
group at the level of one stereo channel (the target of the audio decoder); and the spectrum of the mix with
reverb (the input of the audio encoder).

Letters: N notes, G groups that play, S samples, T score frames, F rows of a spectrum.
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

MIN_NOTES = 6
FULL_SCALE = 32_767
LOUDEST = 200.0
"""Spectra are stored as bytes; a full-scale sine has this value."""

Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Render:
    """``notes`` (N, 5) as in a song; ``groups`` (G,) indices; ``stems`` (G, S); ``spectrum`` (F, T) bytes."""

    style: str
    notes: NDArray[np.float32]
    groups: NDArray[np.int64]
    stems: Samples
    spectrum: NDArray[np.uint8]

    @property
    def score(self) -> Score:
        """The notes as a score."""
        return score_of(self.notes, CROP_S)

    def stem(self, number: int) -> NDArray[np.float32]:
        """Stem ``number`` as float samples (S,)."""
        return self.stems[number].astype(np.float32) / FULL_SCALE


def dry(style: str) -> StyleSounds:
    """The sounds of ``style`` with their gain, but centred and without reverb."""
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
    """Play ``count`` crops, equally many of every style; existing ones are kept."""
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
    """All stored crops in order, with or without their ``stems``.

    Raises:
        FileNotFoundError: there are none.
    """
    paths = sorted(folder.glob("[0-9]" * 5 + ".npz"))
    if not paths:
        raise FileNotFoundError(f"{folder}: no renders; run `python -m train renders` first")
    return [load(path, stems) for path in paths]


def load(path: Path, stems: bool = True) -> Render:
    """One stored crop; without ``stems`` they are (0, S), to save memory."""
    with np.load(path, allow_pickle=False) as arrays:
        return Render(
            STYLES[int(arrays["style"])],
            arrays["notes"],
            arrays["groups"],
            arrays["stems"] if stems else np.zeros((0, CROP_SAMPLES), np.int16),
            arrays["spectrum"],
        )


def _crop(songs: Sequence[CachedSong], style: str, rng: np.random.Generator) -> Score:
    """A random crop with at least MIN_NOTES notes, transposed at random."""
    while True:
        song = songs[rng.integers(len(songs))]
        notes = song.scores[style].astype(np.float64)
        first_s = rng.uniform(0.0, max(0.1, song.duration_s - CROP_S))
        notes = notes[(notes[:, 0] >= first_s) & (notes[:, 0] < first_s + CROP_S - 0.1)]
        if len(notes) >= MIN_NOTES:
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
    """RMS of the channels of ``stem`` (S, 2) relative to their mean: what wide stems lose in mono."""
    one, both = np.mean(np.square(stem)), np.mean(np.square(stem.mean(axis=1)))
    return float(np.sqrt(one / both)) if both > 0.25 * one > 0.0 else 1.0


def room(stems: NDArray[np.float32], groups: Sequence[str], style: str) -> NDArray[np.float32]:
    """The reverb of dry ``stems`` (G, S) of ``groups``, in mono (S,)."""
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
