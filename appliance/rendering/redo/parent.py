"""The take to redo: what its receipt says, and the files beside it, none of which may have changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile
from pydantic import ValidationError

from appliance.audio.blocks import BLOCK_SAMPLES, Block
from appliance.composing.wishes import TEMPO_WISHES, Wishes
from appliance.errors import InputError, UsageError
from appliance.files.hashes import file_sha256
from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.bar_lines import BarLines
from appliance.music.beat_grid import TRUSTED
from appliance.music.chord_chart import Chart, parse_chart
from appliance.music.keys import Key
from appliance.music.midi_reading import TakeMidi, read_take_midi
from appliance.music.rhythm_plan import RhythmPlan, parse_rhythm
from appliance.music.score import DRUM_GROUP, GROUPS, BeatGrid
from appliance.rendering.job import Level
from appliance.rendering.publication import STEMS_FOLDER
from appliance.rendering.receipt import SCHEMA

_UNTRUSTED = 0.99 * TRUSTED
_CONCERT_PITCH_HZ = 440.0
"""The band's A of receipts that do not tell it."""


@dataclass(frozen=True, slots=True)
class Parent:
    """The parent of a redo. ``name`` is that of its files without an ending; ``first_name`` is that of the
    first take of this line, after which redone takes are numbered.

    ``wishes`` are those that it was rendered with, but for what ``grid`` and ``chart`` say: the beats, and
    the chords that are sung. ``key`` is sung, too. ``groups`` have notes, in the order of the MIDI tracks.
    ``band``, ``voice_db`` and ``mix`` are its levels, None in receipts that do not tell them.
    """

    path: Path
    sha256: str
    facts: dict[str, Any]
    name: str
    first_name: str
    wishes: Wishes
    grid: BeatGrid
    key: Key
    chart: Chart
    chart_text: str
    groups: tuple[str, ...]
    duration_s: float
    band: Level | None
    voice_db: float | None
    mix: Level | None

    @property
    def lines(self) -> BarLines:
        """Its bars."""
        return BarLines.of(self.grid, self.duration_s)

    def rhythm(self) -> RhythmPlan:
        """The rhythm that it was asked to play; empty if none was, as in receipts that tell none.

        Raises:
            UsageError: the receipt was edited, and its rhythm cannot be read.
        """
        text = str(self.facts.get("rhythm_text") or "")
        return parse_rhythm(text, self.lines, self.path.name) if text else ()

    def sound(self, ending: str) -> Path | None:
        """``NAME.ending`` beside the receipt, such as ``mix.wav``; None if it is gone."""
        return self._present(f"{self.name}.{ending}")

    def stem(self, group: str) -> Path | None:
        """The stem of ``group``; where only one group plays, the accompaniment has the same sound."""
        stem = self._present(f"{STEMS_FOLDER}/{self.name}.{group}.wav")
        stems = [file for file in self.facts["files"] if file.startswith(f"{STEMS_FOLDER}/")]
        alone = stem is None and stems == [f"{STEMS_FOLDER}/{self.name}.{group}.wav"]
        return self.sound("accompaniment.wav") if alone else stem

    def song(self) -> TakeMidi:
        """Its notes.

        Raises:
            InputError: the MIDI file is gone.
        """
        path = self._present(f"{self.name}.mid")
        if path is None:
            raise InputError(
                f"{self.path.parent / self.name}.mid is gone, and the notes of the take with it; put it back "
                "beside the receipt, or redo everything, without bars, parts and chords."
            )
        return read_take_midi(path, self.groups, self.duration_s)

    def check_files(self) -> None:
        """Raise InputError if a file of the take has changed. Files that are gone do no harm here."""
        for file, sha256 in self.facts["files"].items():
            path = self.path.parent / file
            if path.is_file() and _sha256(path) != sha256:
                raise InputError(
                    f"{path} is not what {self.path.name} says, so it was changed after the render; put the "
                    "original back, or move it away to have it played again."
                )

    def _present(self, file: str) -> Path | None:
        path = self.path.parent / file
        return path if file in self.facts["files"] and path.is_file() else None


def wav_blocks(path: Path) -> Iterator[Block]:
    """The samples of a sound file that Backline wrote: blocks of (n, 2) float32, exact."""
    with soundfile.SoundFile(path) as file:
        yield from file.blocks(BLOCK_SAMPLES, dtype="float32", always_2d=True)


def read_parent(path: Path) -> Parent:
    """Read the receipt in ``path``.

    Raises:
        UsageError: it cannot be read, or is not a receipt of Backline.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: the receipt cannot be read ({error.strerror}).") from error
    try:
        return _parent(path, hashlib.sha256(data).hexdigest(), json.loads(data))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, ValidationError) as error:
        raise UsageError(
            f"{path} is not a receipt of Backline, or was edited; give NAME.receipt.json of a render."
        ) from error


def _parent(path: Path, sha256: str, facts: dict[str, Any]) -> Parent:
    if facts["schema"] != SCHEMA:
        raise UsageError(f"{path} was written by another version of Backline; render the vocal again.")
    moved = facts.get("transposed") or {}
    duration_s = facts["samples"] / SAMPLE_RATE_HZ
    grid = _grid(facts)
    text = str(moved.get("sung_chart_text", facts["chart_text"]))
    levels = facts.get("levels") or {}
    (name,) = (file.removesuffix(".mid") for file in facts["files"] if file.endswith(".mid"))
    first_name = str((facts.get("redo") or {}).get("name", name))
    if {Path(name).name, Path(first_name).name} != {name, first_name}:
        raise ValueError("names of results are names of files in the folder of the receipt")
    return Parent(
        path,
        sha256,
        facts,
        name,
        first_name,
        _wishes(facts, moved, text),
        grid,
        Key.parse(moved.get("sung_key", facts["key"]["name"])),
        parse_chart(text, grid, duration_s, path.name) if text.strip() else [],
        text,
        tuple(facts["groups"]) if "groups" in facts else _groups_of_stems(facts),
        duration_s,
        _level(levels.get("band")),
        levels.get("voice_db"),
        _level(levels.get("mix")),
    )


def _wishes(facts: dict[str, Any], moved: dict[str, Any], chart_text: str) -> Wishes:
    tuning = facts.get("tuning", {"given": True, "reference_hz": _CONCERT_PITCH_HZ})
    told = {
        "style": facts["style"],
        "variety": facts.get("variety", 0.0),
        "sound": facts.get("sound", "band"),
        "key": moved.get("sung_key", facts["key"]["name"]) if facts["key"]["given"] else None,
        "tuning": tuning["reference_hz"] if tuning["given"] else "singer",
    }
    asked = facts.get("asked", told)
    asked = {name: value for name, value in asked.items() if name not in (*TEMPO_WISHES, "takes")}
    chords = chart_text if facts["chart_given"] else None
    rhythm = facts["rhythm_text"] if facts.get("rhythm_given") else None
    return Wishes(**{**asked, "seed": facts["seed"], "chords": chords, "rhythm": rhythm})


def _grid(facts: dict[str, Any]) -> BeatGrid:
    tempo, beats_s = facts["tempo"], tuple(float(beat) for beat in facts["beats_s"])
    confidence = float(tempo["confidence"])
    meter = int(tempo["meter"])
    starts = [start_s for start_s, _ in tempo.get("tempi", [])[1:]]
    return BeatGrid(
        beats_s,
        tuple(int(beat) for beat in facts["downbeats"]),
        max(confidence, TRUSTED) if tempo["trusted"] else min(confidence, _UNTRUSTED),
        meter,
        tempo.get("signature") == f"{3 * meter}/8",
        float(tempo.get("meter_confidence", 1.0)),
        tuple(min(range(len(beats_s)), key=lambda k: abs(beats_s[k] - start_s)) for start_s in starts),
    )


def _groups_of_stems(facts: dict[str, Any]) -> tuple[str, ...]:
    stems = {file.split(".")[-2] for file in facts["files"] if file.startswith(f"{STEMS_FOLDER}/")}
    return tuple(group for group in (*GROUPS, DRUM_GROUP) if group in stems)


def _level(said: dict[str, Any] | None) -> Level | None:
    return None if said is None else Level(float(said["gain_db"]), said["aim_dbtp"])


def _sha256(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
