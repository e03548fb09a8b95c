"""Songs, packs, bands and judges for tests of the evaluation, without network, real judge or corpus.

The fake band writes pitches into its samples and the perfect judges read them there. All objects can be
pickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import soundfile
from numpy.typing import NDArray

from appliance.errors import InputError
from appliance.music.midi import write_midi
from appliance.music.score import BeatGrid, Note, Score
from appliance.packs.sounds import DEFAULT_SOUNDS
from train.evaluate.evaluation import Evaluation, evaluate
from train.evaluate.judges.chord_judge import HeardChord
from train.evaluate.judges.hearing import Hearing
from train.evaluate.judges.note_judge import HeardNote
from train.evaluate.material.pieces import Piece, Sung
from train.evaluate.material.song_sets import SongSet
from train.evaluate.processes.store import Store
from train.evaluate.sections.setting import EvaluationSetting

RATE_HZ = 44_100
NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")


class PerfectJudges:
    """Read the pitches of half-second notes that :func:`fake_band` wrote into its samples."""

    def notes(self, audio: Path) -> Sequence[HeardNote]:
        samples, _ = soundfile.read(audio, dtype="float32", always_2d=True)
        pitches = np.round(samples[:: RATE_HZ // 2, 0] * 128).astype(int)
        return tuple(HeardNote(k / 2, (k + 1) / 2, int(p), 1.0) for k, p in enumerate(pitches) if p)

    def chords(self, audio: Path) -> Sequence[HeardChord]:
        return tuple(HeardChord(n.start_s, n.end_s, NAMES[n.pitch % 12]) for n in self.notes(audio))


def fake_band(score: Score) -> NDArray[np.float32]:
    """Samples (N, 2) whose value is the sounding pitch / 128."""
    samples = np.zeros((int(score.duration_s * RATE_HZ), 2), np.float32)
    for note in score.notes:
        samples[round(note.start_s * RATE_HZ) : round(note.end_s * RATE_HZ)] = note.pitch / 128
    return samples


def hearing_in(folder: Path) -> Hearing:
    """Perfect judges whose results are stored in ``folder``."""
    return Hearing(Store(folder / "heard"), PerfectJudges())


def make_pieces(folder: Path, count: int = 4) -> list[Piece]:
    """Songs of 6 s: twelve pitches, sung and doubled by the band, in an order that differs by song."""
    rng = np.random.default_rng(11)
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for k in range(count):
        pitches = rng.permutation(12) + 60
        notes = [Note(i / 2, (i + 1) / 2, int(p), 80, "keys") for i, p in enumerate(pitches)]
        vocal = folder / f"song{k}.wav"
        soundfile.write(vocal, rng.normal(0, 0.1, 6 * 8000), 8000)
        voice = tuple(Sung(n.start_s, n.end_s, n.pitch) for n in notes)
        made.append(Piece(f"song{k}", vocal, 6.0, voice, Score.of(notes, 6.0), (0.0, 2.0, 4.0, 6.0)))
    return made


@dataclass(frozen=True)
class FakeRenderer:
    """Plays the score given for each vocal's file stem and records every request in ``log``."""

    scores: Mapping[str, Score]
    log: Path
    label: str = "one"
    sound: bool = True
    refuses: tuple[str, ...] = ()

    def __call__(self, vocal: Path, folder: Path) -> None:
        with self.log.open("a") as log:
            log.write(f"{self.label}/{vocal.stem}\n")
        if vocal.stem in self.refuses:
            raise InputError(f"{vocal.name}: nothing is sung.")
        inner = folder / vocal.stem
        inner.mkdir()
        samples = fake_band(self.scores[vocal.stem])
        soundfile.write(inner / f"{vocal.stem}.accompaniment.wav", samples, RATE_HZ, subtype="PCM_24")

    def asked(self) -> list[str]:
        """Requests to all renderers with this log, as ``label/stem``; empties the log."""
        lines = self.log.read_text().split() if self.log.is_file() else []
        self.log.unlink(missing_ok=True)
        return lines


def as_written(pieces: Sequence[Piece], semitones: int = 0) -> dict[str, Score]:
    """The written parts, transposed by ``semitones``."""
    return {piece.vocal.stem: piece.written.transposed(semitones) for piece in pieces}


def spoiled(pieces: Sequence[Piece], wrong_notes: int) -> dict[str, Score]:
    """The written parts with the first ``wrong_notes`` notes a semitone too high."""
    return {
        piece.vocal.stem: Score.of(
            (
                Note(n.start_s, n.end_s, n.pitch + (k < wrong_notes), n.velocity, n.group)
                for k, n in enumerate(piece.written.notes)
            ),
            piece.duration_s,
        )
        for piece in pieces
    }


@dataclass(frozen=True)
class FakePack:
    """Stands in for a ``PackRenderer``: plays the written part with wrong notes.

    ``wrong`` says how many of the twelve notes are a semitone too high for a style, a number of steps, a
    pack, a folder of vocals, or own or given chords. Anything not listed adds no wrong notes.
    """

    pieces: tuple[Piece, ...]
    wrong: tuple[tuple[str, int], ...]
    log: Path
    pack: Path = Path("int8")
    style: str = "piano"
    seed: int = 0
    steps: int | None = None
    plan: bool = True
    sound: bool = True
    charts: Path | None = None

    @property
    def label(self) -> str:
        parts = (self.pack, self.style, self.seed, self.steps, self.plan, self.sound, self.charts)
        return " ".join(map(str, parts))

    def __call__(self, vocal: Path, folder: Path) -> None:
        with self.log.open("a") as log:
            log.write(f"{vocal.stem}\n")
        asked = {str(self.pack), self.style, f"{self.steps} steps", vocal.parent.name, f"plan {self.plan}"}
        asked.add("own chords" if self.charts is None else "given chords")
        wrong = sum(count for what, count in self.wrong if what in asked)
        song = vocal.stem.partition("-")[0]  # segments of real singing are called song0-1, song0-2
        score = spoiled([p for p in self.pieces if p.id == song], wrong)[song]
        if self.sound:
            samples = fake_band(score)
            soundfile.write(folder / f"{vocal.stem}.accompaniment.wav", samples, RATE_HZ, subtype="PCM_24")
        else:
            sounds = DEFAULT_SOUNDS[self.style]
            write_midi(folder / f"{vocal.stem}.mid", score, BeatGrid(), sounds)


class FakeSetting(EvaluationSetting):
    """A setting with a :class:`FakePack` and perfect judges."""

    def pieces(self, share: int = 1, length_s: float = 60.0) -> list[Piece]:
        return make_pieces(self.folder / "vocals", self.songs)[::share]

    def sets(self) -> list[SongSet]:
        """All songs, and every second one again as a set of its own."""
        return [SongSet(name, f"{name} songs", Path(), ()) for name in ("first", "popular")]

    def pieces_of(self, songs: SongSet, length_s: float = 60.0) -> list[Piece]:
        return self.pieces(1 if songs.name == "first" else 2, length_s)

    @property
    def hearing(self) -> Hearing:
        return hearing_in(self.folder)

    @property
    def renderer(self) -> FakePack:  # type: ignore[override]
        wrong = json.loads((self.folder / "wrong.json").read_text())
        every = tuple(make_pieces(self.folder / "vocals", self.songs))
        return FakePack(every, tuple(wrong.items()), self.folder / "log", self.pack, seed=self.seed)

    def manifest(self, pack: Path | None = None) -> SimpleNamespace:  # type: ignore[override]
        guidance = 2.5 if pack == self.undistilled else 1.0
        return SimpleNamespace(
            styles=("piano", "organ"),
            sampler=SimpleNamespace(steps=8, guidance=guidance),
            graphs=SimpleNamespace(fit=None, chords=None),
        )

    def judged(self, pieces: Sequence[Piece], renderer: FakePack, *, chords: bool = False) -> Evaluation:  # type: ignore[override]
        band = fake_band if renderer.sound else None
        return evaluate(pieces, renderer, band, self.hearing, label=renderer.label, chords=chords)

    def question(self) -> dict[str, object]:
        packs = {"pack": self.pack, "fp32": self.fp32, "undistilled": self.undistilled}
        hashes = {name: str(path) for name, path in packs.items() if path is not None}
        return {**hashes, "songs": self.songs, "seed": self.seed, "style": self.style, "split": self.split}

    def about(self) -> dict[str, object]:
        return {**self.question(), "pack": "fake 1", "identity": "0" * 64}


def fake_setting(folder: Path, wrong: Mapping[str, int] | None = None, **given: object) -> FakeSetting:
    """A setting in ``folder`` whose pack plays the wrong notes given by ``wrong``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "wrong.json").write_text(json.dumps(dict(wrong or {})))
    asked = {"pack": Path("int8"), "corpus": Path("nowhere"), "folder": folder, "songs": 6, "workers": 1}
    return FakeSetting(**{**asked, **given})  # type: ignore[arg-type]


def asked_of(setting: FakeSetting) -> int:
    """The number of renders requested since the last call."""
    log = setting.folder / "log"
    count = len(log.read_text().split()) if log.is_file() else 0
    log.unlink(missing_ok=True)
    return count
