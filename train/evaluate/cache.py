"""Judgements on disk, named by the hash of what was judged: the same audio is never judged twice."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path

import soundfile

from train.evaluate.chord_judge import CHORD_JUDGE_VERSION, HeardChord, recognise
from train.evaluate.judge import JUDGE_VERSION, HeardNote, transcribe


class Judgements:
    """The two judges with a memory: a folder of small JSON files, safe to delete."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def notes(self, audio: Path) -> tuple[HeardNote, ...]:
        """What :func:`~train.evaluate.judge.transcribe` hears in an audio file."""
        file = self._file(audio, JUDGE_VERSION)
        if not file.is_file():
            samples, rate_hz = soundfile.read(audio, dtype="float32", always_2d=True)
            _write(file, [asdict(note) for note in transcribe(samples, rate_hz)])
        return tuple(HeardNote(**note) for note in json.loads(file.read_text()))

    def chords(self, audio: Path) -> tuple[HeardChord, ...]:
        """What :func:`~train.evaluate.chord_judge.recognise` hears in an audio file."""
        file = self._file(audio, CHORD_JUDGE_VERSION)
        if not file.is_file():
            _write(file, [asdict(chord) for chord in recognise(audio)])
        return tuple(HeardChord(**chord) for chord in json.loads(file.read_text()))

    def _file(self, audio: Path, judge: str) -> Path:
        return self.folder / f"{file_sha256(audio)}.{judge.replace('/', '-')}.json"


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _write(file: Path, rows: list[dict[str, object]]) -> None:
    """Whole or not at all: a judgement cut short must not be found later."""
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    part.write_text(json.dumps(rows))
    part.replace(file)
