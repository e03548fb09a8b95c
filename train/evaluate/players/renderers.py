"""A pack as a renderer for evaluation: the whole job or its notes alone, with parts that can be switched off.

Each process keeps one engine with one thread, because several processes render at the same time.
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
from appliance.composing.composer import compose, listen, padded
from appliance.composing.reading import Reading
from appliance.composing.takes import draw_take
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
from appliance.vocal.tracker import track_pitch
from appliance.vocal.tuning import Tuning, tuning_of

DESCRIPTIVE_FILES = frozenset({"MODEL_CARD.md", "metrics.json", "quantize-report.json", "quantize-report.md"})
"""Files of a pack that do not affect its music."""

ROOMS_WITHOUT_EFFECT = frozenset({"cli", "doctor", "releases", "tuning", "watch"})
"""Rooms and files of the appliance that do not affect its music."""

SOUND_GRAPHS = ("audio_decoder", "audio_encoder")
"""Graphs that the soundfont band does not use; ``train reconstruct-audio`` judges them separately."""


def music_hash(pack: Pack) -> str:
    """SHA-256 over everything in a pack that affects the music of its band.

    Unlike the pack's own hash, it does not change when metrics are added to the pack, when the checkpoint has
    other facts but the same networks, or when only SOUND_GRAPHS change.
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
    left_out = DESCRIPTIVE_FILES | unheard
    files = {name: f.sha256 for name, f in pack.manifest.files.items() if name not in left_out}
    return hashlib.sha256(json.dumps([manifest, files], sort_keys=True).encode()).hexdigest()


def code_hash() -> str:
    """SHA-256 over the appliance's modules and tables that can affect a render."""
    folder = Path(appliance.__file__).parent
    digest = hashlib.sha256()
    for file in sorted([*folder.rglob("*.py"), *folder.rglob("*.json")]):
        name = file.relative_to(folder)
        if name.parts[0] not in ROOMS_WITHOUT_EFFECT:
            digest.update(name.as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class PackRenderer:
    """Renders vocals with a pack; tempo, beats and key are the appliance's own estimates.

    ``steps`` replaces the pack's number of steps. ``plan=False`` hides the plan from the denoiser.
    ``sound=False`` stops after the MIDI file.
    """

    pack: Path
    style: str = "piano"
    seed: int = 0
    steps: int | None = None
    plan: bool = True
    sound: bool = True
    code: str = ""
    """Hash of the appliance's code, so that results are made again after a change of it; may be empty."""
    charts: Path | None = None
    """Folder with a given chart for each vocal, as ``STEM.txt``; None: no chart is given."""

    @property
    def label(self) -> str:
        """Names everything that decides the result, apart from the vocal."""
        pack = _pack(self.pack)
        parts = [pack.manifest.name, music_hash(pack)[:12], self.style, f"seed {self.seed}"]
        parts += [f"{self.steps} steps"] if self.steps is not None else []
        parts += [] if self.plan else ["without plan"]
        parts += [] if self.sound else ["notes"]
        parts += [f"code {self.code[:12]}"] if self.code else []
        parts += [f"charts {_content_hash(self.charts)[:12]}"] if self.charts is not None else []
        return " ".join(parts)

    def wishes(self, vocal: Path) -> Wishes:
        """What the appliance is asked for with ``vocal``."""
        if self.charts is None:
            return Wishes(style=self.style, seed=self.seed)
        chart = self.charts / f"{vocal.stem}.txt"
        return Wishes(style=self.style, seed=self.seed, chords=chart.read_text(), chords_name=chart.name)

    def __call__(self, vocal: Path, folder: Path) -> None:
        """Render ``vocal`` into ``folder``.

        Raises:
            BacklineError: as the appliance does.
        """
        engine = engine_of(self.pack, self.steps)
        if self.sound and self.plan:
            render(engine, RenderJob(vocal, folder, self.wishes(vocal), overwrite=True), "evaluation")
            return
        reading, tuning = _read(engine, vocal, self.wishes(vocal))
        score = self.compose(engine, reading)
        sounds = engine.pack.manifest.sounds[self.style]
        write_midi(folder / f"{vocal.stem}.mid", score, reading.grid, sounds, tuning.cents)

    def compose(self, engine: Engine, reading: Reading) -> Score:
        """Compose notes for a reading: one take, whatever its fit."""
        if not self.plan:
            hidden = np.zeros_like(reading.plan)
            reading = replace(reading, plan=hidden, certainty=0.0, composed=False)
            return compose(engine.graphs, engine.pack, reading, self.style, self.seed)
        wishes = Wishes(style=self.style, seed=self.seed)
        return draw_take(engine.graphs, engine.pack, reading, wishes, self.seed).score


def read_vocal(engine: Engine, vocal: Path, wishes: Wishes | None = None) -> Reading:
    """The appliance's reading of a vocal file, as at the start of a render.

    Raises:
        InputError: the appliance would reject the vocal.
        UsageError: the wishes cannot be met.
    """
    return _read(engine, vocal, wishes or Wishes())[0]


def _read(engine: Engine, vocal: Path, wishes: Wishes) -> tuple[Reading, Tuning]:
    """The reading (beats, key, plan) and the singer's tuning."""
    info = probe(vocal)
    track = track_pitch(read_mono(info), info.output_samples)
    if (sentence := check_vocal(track).sentence) is not None:
        raise InputError(f"{vocal}: {sentence}.")
    tuning = tuning_of(track).near(0.0)
    features = padded(features_of(track, tuning.curve))
    return listen(engine.graphs, features, info.output_samples / SAMPLE_RATE_HZ, wishes), tuning


@lru_cache(maxsize=4)
def _content_hash(folder: Path) -> str:
    """SHA-256 over the names and contents of the files in a folder, which do not change any more."""
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _engine(folder: Path) -> Engine:
    return Engine(folder, threads=1)


def engine_of(folder: Path, steps: int | None = None) -> Engine:
    """The engine of a pack, with ``steps`` sampling steps if given."""
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
