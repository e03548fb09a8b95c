"""Sends excerpts of songs through the latent and back to audio, and judges the result.

The *original* is the excerpt, played by the band. The same music comes back in three ways:

- ``band``: score -> latent -> notes, played by the band;
- ``neural``: score -> latent -> notes, played by the audio decoder;
- ``heard``: the original's audio -> audio encoder -> latent -> notes, played by the audio decoder.

They are judged by networks that were not trained here, and by the distance of spectra.

Letters: S samples.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import mir_eval
import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

from appliance.grid import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from appliance.music.note_rows import score_of
from appliance.music.roll import Roll, notes_of, roll_of
from appliance.music.score import DRUM_GROUP, STYLE_GROUPS, STYLES, Score
from appliance.packs.sounds import DEFAULT_SOUNDS
from appliance.playing.band_hearing import heard_score
from appliance.playing.neural_band import neural_stems
from appliance.playing.soundfont_band import SoundFont, render_stems
from train.data.song_cache import CachedSong
from train.evaluate.judges.chord_judge import HeardChord, chord_agreement, recognise
from train.evaluate.judges.note_judge import transcribe
from train.evaluate.measures.roll_f1 import RollF1, roll_f1
from train.evaluate.players.torch_sound import SoundGraphs, open_sound
from train.training.spectral_loss import spectral_terms

WAYS = ("band", "neural", "heard")
ONSET_TOLERANCE_S = 0.05
MIN_NOTES = 20
DB = 20.0 / math.log(10.0)

Sound = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A stretch of a song, played from silence."""

    song: str
    style: str
    score: Score


@dataclass(frozen=True, slots=True)
class Judged:
    """Scores of one way of one excerpt.

    ``notes_f1`` is the F1 of basic-pitch against the score, ``original_f1`` the same for the original.
    ``chords`` is the agreement with the original's chords, ``mel_db`` the spectral distance from it.
    """

    song: str
    style: str
    way: str
    chords: float
    notes_f1: float
    original_f1: float
    mel_db: float
    score_f1: RollF1
    """The decoded notes against the score."""


def excerpts(
    songs: Sequence[CachedSong], count: int, seconds: float, styles: Sequence[str] = STYLES
) -> Iterator[Excerpt]:
    """``count`` excerpts of different songs with ``styles`` in turn; always the same ones."""
    rng = np.random.default_rng(2025)
    for number, index in enumerate(rng.permutation(len(songs))[:count]):
        song, style = songs[index], styles[number % len(styles)]
        notes = song.scores[style].astype(np.float64)
        for _ in range(20):
            first_s = rng.uniform(0.0, max(0.1, song.duration_s - seconds))
            inside = notes[(notes[:, 0] >= first_s) & (notes[:, 0] < first_s + seconds - 0.1)]
            if len(inside) >= MIN_NOTES:
                break
        inside[:, :2] = np.minimum(inside[:, :2] - first_s, seconds)
        yield Excerpt(song.id, style, score_of(inside.astype(np.float32), seconds))


class Trip:
    """Makes the original of an excerpt and its three ways."""

    def __init__(self, graphs: SoundGraphs, soundfont: Path) -> None:
        self._graphs, self._font = graphs, SoundFont(soundfont)

    def original(self, excerpt: Excerpt) -> Sound:
        """The score played by the band, (S, 2)."""
        return self._band(excerpt.score, excerpt.style)

    def scores(self, excerpt: Excerpt, original: Sound) -> dict[str, Score]:
        """The decoded notes of each way."""
        heard = heard_score(self._graphs.hear, original.mean(axis=1), excerpt.style)
        kept = self._through(excerpt.score, excerpt.style)
        return {"band": kept, "neural": kept, "heard": self._through(heard, excerpt.style)}

    def played(self, way: str, score: Score, style: str) -> Sound:
        """The notes of a way played by its instrument, (S, 2)."""
        return self._band(score, style) if way == "band" else self._neural(score, style)

    def _through(self, score: Score, style: str) -> Score:
        """Encode a score to the latent and decode it."""
        frames = 2 * math.ceil(score.duration_s * FRAME_RATE_HZ / 2)
        latent = self._graphs.encode(roll_of(score, frames).stacked())
        roll = Roll.unstacked(self._graphs.decode(latent))
        return notes_of(roll, score.duration_s).only(*STYLE_GROUPS[style])

    def _band(self, score: Score, style: str) -> Sound:
        samples = round(score.duration_s * SAMPLE_RATE_HZ)
        blocks = render_stems(score, DEFAULT_SOUNDS[style], self._font, samples)
        return np.concatenate([block.mix() for block in blocks])

    def _neural(self, score: Score, style: str) -> Sound:
        samples = round(score.duration_s * SAMPLE_RATE_HZ)
        blocks = neural_stems(score, style, DEFAULT_SOUNDS[style], self._graphs.gains, samples)
        return np.concatenate([block.mix() for block in blocks])


def judge(
    model: Path,
    soundfont: Path,
    chosen: Sequence[Excerpt],
    workers: int,
    on_done: Callable[[Excerpt], None] = lambda _: None,
) -> list[Judged]:
    """Judge every way of every excerpt in ``workers`` processes."""
    results: list[Judged] = []
    with ProcessPoolExecutor(workers) as pool:
        work = pool.map(partial(_judged, model, soundfont), chosen)
        for excerpt, judged in zip(chosen, work, strict=True):
            results += judged
            on_done(excerpt)
    return results


@lru_cache(maxsize=1)
def _trip(model: Path, soundfont: Path) -> Trip:
    torch.set_num_threads(1)
    return Trip(open_sound(model), soundfont)


def _judged(model: Path, soundfont: Path, excerpt: Excerpt) -> list[Judged]:
    trip = _trip(model, soundfont)
    original = trip.original(excerpt)
    chords, heard = _chords(original), note_f1(original, excerpt.score)
    results = []
    for way, score in trip.scores(excerpt, original).items():
        sound = trip.played(way, score, excerpt.style)
        results.append(
            Judged(
                song=excerpt.song,
                style=excerpt.style,
                way=way,
                chords=chord_agreement(_chords(sound), chords, excerpt.score.duration_s),
                notes_f1=note_f1(sound, excerpt.score),
                original_f1=heard,
                mel_db=mel_distance_db(sound, original),
                score_f1=roll_f1(excerpt.score, score),
            )
        )
    return results


def note_f1(sound: Sound, score: Score) -> float:
    """F1 of the notes that basic-pitch hears in ``sound`` (S, 2): same pitch, onset within 50 ms."""
    found = transcribe(sound, SAMPLE_RATE_HZ)
    written = [note for note in score.notes if note.group != DRUM_GROUP]
    if not found or not written:
        return 0.0
    true, estimated = (
        (
            np.array([(n.start_s, max(n.end_s, n.start_s + 0.01)) for n in notes]),
            440.0 * 2.0 ** ((np.array([n.pitch for n in notes]) - 69) / 12.0),
        )
        for notes in (written, found)
    )
    _, _, f1, _ = mir_eval.transcription.precision_recall_f1_overlap(
        *true, *estimated, onset_tolerance=ONSET_TOLERANCE_S, offset_ratio=None
    )
    return float(f1)


def mel_distance_db(sound: Sound, original: Sound) -> float:
    """Mean distance of log mel spectra in dB, at four resolutions, by channel; both inputs are (S, 2)."""
    made, wanted = (torch.from_numpy(np.ascontiguousarray(x.T)) for x in (sound, original))
    return DB * float(spectral_terms(made, wanted)["mel"])


def _chords(sound: Sound) -> tuple[HeardChord, ...]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound.wav"
        soundfile.write(path, sound, SAMPLE_RATE_HZ)
        return recognise(path)
