"""Songs for the measures of control, and takes composed for them, stored on disk.

Vocals are performed as in training (``train.data.melodies``): curves of a singer with the errors of a pitch
tracker, without audio. Letters: F = 64 feature rows, T score frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.composing.composer import compose, listen, padded
from appliance.composing.reading import Reading
from appliance.composing.wishes import Wishes
from appliance.grid import FRAME_RATE_HZ, FRAMES_PER_PLAN
from appliance.music.chord_chart import Chart, chart_text
from appliance.music.keys import Key
from appliance.music.score import BeatGrid, Note, Score
from appliance.rendering.engine import Engine
from appliance.vocal.features import features_of
from train.corpus.ledger import sung_rows
from train.corpus.reader import read_song
from train.corpus.song import Song
from train.data.melodies import SpoiledTrack, spoil
from train.evaluate.processes.store import Store
from train.singer.perform import perform
from train.singer.voices import VoiceSettings, sample_voice

Array = NDArray[np.float32]

SHORTEST_S, LONGEST_S = 60.0, 200.0
MUSIC = 3
"""Part of every question to the store: raise it when the appliance's notes change for an unchanged pack."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A song or a part of one, with its vocal ``features`` (F, T); the part starts at ``first_s``."""

    song: Song
    first_s: float
    features: Array

    @property
    def duration_s(self) -> float:
        return self.features.shape[1] / FRAME_RATE_HZ

    @property
    def name(self) -> str:
        """A name that identifies this part of the song."""
        return f"{self.song.id}@{self.first_s:.3f}+{self.features.shape[1]}"

    def times(self, song_times_s: Sequence[float]) -> list[float]:
        """Those of the song's times that lie inside the part, relative to its start."""
        moved = (t - self.first_s for t in song_times_s)
        return [t for t in moved if 0.0 <= t < self.duration_s]

    def notes(self, notes: Sequence[Note]) -> Score:
        """The song's notes that sound inside the part, clipped to it."""
        kept = []
        for n in notes:
            start_s, end_s = max(n.start_s - self.first_s, 0.0), min(n.end_s - self.first_s, self.duration_s)
            if end_s > start_s:
                kept.append(Note(start_s, end_s, n.pitch, n.velocity, n.group))
        return Score.of(kept, self.duration_s)

    def beats_text(self) -> str:
        """The song's own beats in the format of a beat file."""
        numbers: dict[int, int] = {}
        for k in range(len(self.song.beats_s)):
            numbers[k] = 1 if k in self.song.downbeats else numbers.get(k - 1, 0) + 1
        rows = ((t - self.first_s, numbers[k]) for k, t in enumerate(self.song.beats_s))
        return "".join(f"{t:.4f}\t{n}\n" for t, n in rows if 0.0 <= t < self.duration_s)


def performed(song: Song) -> Subject:
    """The whole ``song``, sung by its own voice."""
    _, heard = heard_singer(song)
    return Subject(song, 0.0, padded(features_of(heard)))


def heard_singer(song: Song) -> tuple[VoiceSettings, SpoiledTrack]:
    """The voice that sings ``song``, and its curves as a pitch tracker hears them."""
    seed = int(song.sha256[:7], 16) + 5
    voice = sample_voice(seed, "test" if song.split == "test" else "train")
    curves = perform(song, voice, seed).curves
    rng = np.random.default_rng(seed)
    return voice, spoil(curves.f0_hz, curves.voiced, curves.level_db, curves.flux, rng)


def excerpt(whole: Subject, length_s: float) -> Subject:
    """``length_s`` seconds from the last bar line that is at least 4 s before the first sung note."""
    earliest = whole.song.voice[0].start_s - 4.0
    start_s = max((b for b in whole.song.bars_s if b <= earliest), default=0.0)
    first = int(start_s * FRAME_RATE_HZ) // FRAMES_PER_PLAN * FRAMES_PER_PLAN
    frames = int(length_s * FRAME_RATE_HZ) // FRAMES_PER_PLAN * FRAMES_PER_PLAN
    return Subject(whole.song, first / FRAME_RATE_HZ, whole.features[:, first : first + frames])


def with_silence(whole: Subject, before_s: float, after_s: float) -> Subject:
    """``whole`` with silence added before and after it."""
    before, after = (
        round(s * FRAME_RATE_HZ / FRAMES_PER_PLAN) * FRAMES_PER_PLAN for s in (before_s, after_s)
    )
    features = np.pad(whole.features, ((0, 0), (before, after)))
    return Subject(whole.song, whole.first_s - before / FRAME_RATE_HZ, features)


def chosen_songs(corpus: Path, split: str, count: int) -> list[Song]:
    """``count`` songs of a split with even beats, 60 to 200 s long, in the order of their hashes."""
    rows = sorted((row for row in sung_rows(corpus) if row.split == split), key=lambda row: row.sha256)
    songs: list[Song] = []
    for row in rows:
        if len(songs) == count:
            break
        song = read_song(corpus, row)
        gaps = np.diff(song.beats_s)
        if SHORTEST_S <= song.duration_s <= LONGEST_S and len(gaps) and np.ptp(gaps) < 1e-3:
            songs.append(song)
    return songs


@dataclass(frozen=True, slots=True)
class Request:
    """What a take is composed with, in a form that can be stored; see :class:`Wishes`."""

    style: str = "piano"
    bpm: float | None = None
    beats: str | None = None
    key: Key | None = None
    chart: Chart | None = None
    seed: int = 0
    tag: str | None = None
    """Tells subjects of the same song and length apart."""

    def wishes(self) -> Wishes:
        """The request as the appliance takes it."""
        return Wishes(
            style=self.style,
            bpm=self.bpm,
            key=self.key and self.key.name,
            chords=None if self.chart is None else chart_text(self.chart),
            seed=self.seed,
            beats=self.beats,
        )

    def facts(self) -> dict[str, object]:
        """The facts that decide the take, for the store."""
        facts: dict[str, object] = {"style": self.style, "bpm": self.bpm, "beats": self.beats}
        chart = None if self.chart is None else chart_text(self.chart)
        facts |= {"key": self.key and self.key.name, "chart": chart, "seed": self.seed}
        return facts if self.tag is None else {**facts, "tag": self.tag}


@dataclass(frozen=True, slots=True)
class Take:
    """Notes, and the appliance's reading on which they are based."""

    score: Score
    grid: BeatGrid
    chart: Chart
    key: Key
    key_confidence: float


class Composer:
    """Composes takes with a pack, or reads them from the store."""

    def __init__(self, pack: Path, store: Store, threads: int | None = None) -> None:
        self.engine = Engine(pack, threads)
        self.store = store

    def reading(self, subject: Subject, asked: Request = Request()) -> Reading:
        """The appliance's reading of a subject."""
        return listen(self.engine.graphs, subject.features, subject.duration_s, asked.wishes())

    def take(self, subject: Subject, asked: Request) -> Take:
        """The take for a subject and a request."""

        def made() -> object:
            reading = self.reading(subject, asked)
            score = compose(self.engine.graphs, self.engine.pack, reading, asked.style, asked.seed)
            grid = reading.grid
            return {
                "notes": [astuple(n) for n in score.notes],
                "beats_s": grid.beats_s,
                "downbeats": grid.downbeats,
                "confidence": grid.confidence,
                "meter": grid.meter,
                "chart": [astuple(span) for span in reading.chart],
                "key": [reading.key.tonic, reading.key.mode],
                "key_confidence": reading.key_confidence,
            }

        facts = self.store.get(self._question("take", subject, asked), made)
        return _take(facts, subject.duration_s)

    def judged(self, what: str, subject: Subject, asked: Request, judge: Callable[[], object]) -> object:
        """A judge's answer about that take, stored under ``what``."""
        return self.store.get(self._question(what, subject, asked), judge)

    def _question(self, what: str, subject: Subject, asked: Request) -> dict[str, object]:
        return {
            "what": what,
            "pack": self.engine.pack.sha256,
            "music": MUSIC,
            "subject": subject.name,
            **asked.facts(),
        }


def _take(facts: dict, duration_s: float) -> Take:  # type: ignore[type-arg]
    from appliance.music.chord_chart import ChordSpan

    grid = BeatGrid(tuple(facts["beats_s"]), tuple(facts["downbeats"]), facts["confidence"], facts["meter"])
    return Take(
        Score.of((Note(*n) for n in facts["notes"]), duration_s),
        grid,
        [ChordSpan(*span) for span in facts["chart"]],
        Key(*facts["key"]),
        facts["key_confidence"],
    )
