"""A pack as a renderer that can be judged: the whole job, or its notes alone, with parts switched off.

Engines are kept a process, with one thread each, because several processes render side by side.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

import appliance
from appliance.audio.recording import probe, read_mono
from appliance.composing.composer import Reading, compose, listen, padded
from appliance.composing.wishes import Wishes
from appliance.errors import InputError
from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.midi import write_midi
from appliance.music.score import Score
from appliance.packs.pack import Pack, load_pack
from appliance.rendering.engine import Engine
from appliance.rendering.job import RenderJob
from appliance.rendering.render import render
from appliance.vocal.check import check_vocal
from appliance.vocal.features import features_of
from appliance.vocal.tracker import PitchTrack, track_pitch

SAID_ABOUT_IT = frozenset({"MODEL_CARD.md", "metrics.json", "quantize-report.json", "quantize-report.md"})
"""Files of a pack that change nothing of what it plays."""

CANNOT_CHANGE_A_RENDER = frozenset({"cli", "doctor.py", "releases", "tuning", "watch"})
"""Rooms and files of the appliance that change nothing of what it plays."""

SOUND_GRAPHS = ("audio_decoder", "audio_encoder")
"""Graphs that the band does without. ``train reconstruct-audio`` judges them, in a report of its own."""


def music_hash(pack: Pack) -> str:
    """SHA-256 over all of a pack that decides the music its band plays, which is what is judged here.

    Unlike the pack's own hash it stays the same when metrics are written into the pack, when the same
    networks come from a checkpoint that says something else about itself, or when only SOUND_GRAPHS change.
    """
    told = {"name", "version", "files", "checkpoint_sha256"}
    manifest = pack.manifest.model_dump(mode="json", exclude=told, exclude_none=True)
    graphs = pack.manifest.graphs.present()
    unheard = {
        Path(graphs[name]).with_suffix(end).as_posix()
        for name in SOUND_GRAPHS
        if name in graphs
        for end in (".xml", ".bin")
    }
    left_out = SAID_ABOUT_IT | unheard
    files = {name: f.sha256 for name, f in pack.manifest.files.items() if name not in left_out}
    return hashlib.sha256(json.dumps([manifest, files], sort_keys=True).encode()).hexdigest()


def code_hash() -> str:
    """SHA-256 over the appliance's modules that can change a render."""
    folder = Path(appliance.__file__).parent
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        name = file.relative_to(folder)
        if name.parts[0] not in CANNOT_CHANGE_A_RENDER:
            digest.update(name.as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class PackRenderer:
    """Nothing but the vocal is given: tempo, beats and key are the appliance's own estimates.

    ``steps`` replaces the pack's own number of steps; without ``plan`` the denoiser gets none;
    ``sound=False`` stops at the MIDI file.
    """

    pack: Path
    style: str = "piano"
    seed: int = 0
    steps: int | None = None
    plan: bool = True
    sound: bool = True
    code: str = ""
    """Hash of the appliance's code, where results must not outlive a change of it."""

    @property
    def label(self) -> str:
        """Everything that decides the result beside the vocal."""
        pack = _pack(self.pack)
        parts = [pack.manifest.name, music_hash(pack)[:12], self.style, f"seed {self.seed}"]
        parts += [f"{self.steps} steps"] if self.steps is not None else []
        parts += [] if self.plan else ["without plan"]
        parts += [] if self.sound else ["notes"]
        parts += [f"code {self.code[:12]}"] if self.code else []
        return " ".join(parts)

    def __call__(self, vocal: Path, folder: Path) -> None:
        """Render ``vocal`` into ``folder``; raises BacklineError where the appliance would."""
        engine = engine_of(self.pack, self.steps)
        if self.sound and self.plan:
            wishes = Wishes(style=self.style, seed=self.seed)
            render(engine, RenderJob(vocal, folder, wishes, overwrite=True), "evaluation")
            return
        reading = read_vocal(engine, vocal)
        score = self.compose(engine, reading)
        sounds = engine.pack.manifest.sounds[self.style]
        write_midi(folder / f"{vocal.stem}.mid", score, reading.grid, sounds)

    def compose(self, engine: Engine, reading: Reading) -> Score:
        """The notes for what was heard of a vocal: one draw, whatever its fit."""
        if not self.plan:
            reading = replace(reading, plan=np.zeros_like(reading.plan), certainty=0.0)
        return compose(engine.graphs, engine.pack, reading, self.style, self.seed)


def read_vocal(engine: Engine, vocal: Path) -> Reading:
    """What the appliance hears in a file, as a render begins.

    Raises:
        InputError: it would be refused.
    """
    info = probe(vocal)
    track = track_pitch(read_mono(info), info.output_samples)
    if (sentence := check_vocal(track).sentence) is not None:
        raise InputError(f"{vocal}: {sentence}.")
    return read_track(engine, track, info.output_samples / SAMPLE_RATE_HZ)


def read_track(engine: Engine, track: PitchTrack, duration_s: float) -> Reading:
    """What the appliance understands of a pitch track: beats, key, plan."""
    return listen(engine.graphs, padded(features_of(track)), duration_s, Wishes())


@lru_cache(maxsize=1)
def _engine(folder: Path) -> Engine:
    return Engine(folder, threads=1)


def engine_of(folder: Path, steps: int | None = None) -> Engine:
    """The engine of a pack, taking ``steps`` steps instead of its own."""
    engine = _engine(folder)
    pack = _pack(folder)
    if steps is not None:
        sampler = pack.manifest.sampler.model_copy(update={"steps": steps})
        pack = replace(pack, manifest=pack.manifest.model_copy(update={"sampler": sampler}))
    engine.pack = pack
    return engine


@lru_cache(maxsize=8)
def _pack(folder: Path) -> Pack:
    return load_pack(folder, verify=False)
