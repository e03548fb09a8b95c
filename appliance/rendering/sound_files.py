"""Plays the notes of a take and writes its sound files: accompaniment, mix and stems."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from appliance.audio.blocks import BLOCK_SAMPLES, Block, Spool
from appliance.audio.mastering import Master, master, mixed, voice_gain_db
from appliance.audio.recording import read_blocks
from appliance.audio.wav_writer import write_wav
from appliance.composing.wishes import Wishes
from appliance.files.write_errors import writing
from appliance.music.score import Score
from appliance.playing.neural_band import neural_stems
from appliance.playing.soundfont_band import StemBlock, render_stems
from appliance.rendering.engine import Engine
from appliance.rendering.job import HeardVocal, Level, Levels
from appliance.rendering.publication import STEMS_FOLDER, Publication
from appliance.rendering.stopwatch import MASTERING, PLAYING, Stopwatch
from appliance.system.threads import Aside, aside


def write_sound_files(
    engine: Engine,
    wishes: Wishes,
    vocal: HeardVocal,
    score: Score,
    publication: Publication,
    watch: Stopwatch,
) -> Levels:
    """Play ``score`` into stems, master them and write all sound files; returns their levels.

    There is no mix if the band plays in another key than the singer (:func:`has_mix`).

    Raises:
        OutputError: a file cannot be written.
    """
    samples, each = vocal.info.output_samples, 1.0 / wishes.takes
    with ExitStack() as working:
        groups = score.groups()
        alone = len(groups) == 1  # then its stem is the accompaniment
        stems = {} if alone else {g: working.enter_context(Spool(publication.folder)) for g in groups}
        band = working.enter_context(Spool(publication.folder))
        with watch.stage("play"):
            for block in play(engine, wishes, score, samples, vocal.band_cents):
                for group, stem in stems.items():
                    stem.append(block.stems[group])
                band.append(block.mix())
                watch.advance(PLAYING * each * block.samples / samples)
        with watch.stage("master"):
            whole = publication.path("accompaniment.wav")
            mix = publication.path("mix.wav") if has_mix(wishes) else None
            mastered = master(band.blocks)
            with aside(lambda it: _write_mix(mix, it, mastered, band, vocal)) as mixing:
                write_wav(whole, mastered.apply(band.blocks), 2, samples)
                watch.advance(MASTERING * each / 2)
                for group, stem in stems.items():
                    path = publication.path(f"{group}.wav", folder=STEMS_FOLDER)
                    write_wav(path, mastered.apply(stem.blocks), 2, samples)
                if alone:
                    path = publication.path(f"{groups[0]}.wav", folder=STEMS_FOLDER)
                    with writing(path):
                        shutil.copyfile(whole, path)
                mix_level = mixing.result()
            watch.advance(MASTERING * each / 2)
    loudness, level = mastered.loudness, Level.of(mastered)
    if mix_level is None:
        return Levels(loudness, level)
    return Levels(loudness, level, voice_gain_db(loudness.integrated_lufs, vocal.level.lufs), mix_level)


def has_mix(wishes: Wishes) -> bool:
    """Whether voice and band are in one key, so that they can be mixed."""
    return wishes.transpose % 12 == 0


def play(
    engine: Engine, wishes: Wishes, score: Score, samples: int, tuning_cents: float
) -> Iterator[StemBlock]:
    """Play ``score`` with the sound of ``wishes``: ``samples`` samples of each stem, not mastered yet."""
    sounds = engine.pack.manifest.sounds[wishes.style]
    if wishes.sound == "neural":
        gains = engine.graphs.gains
        return neural_stems(score, wishes.style, sounds, gains, samples, BLOCK_SAMPLES, tuning_cents)
    return render_stems(score, sounds, engine.soundfont, samples, BLOCK_SAMPLES, tuning_cents)


def _write_mix(
    path: Path | None, work: Aside[Level | None], mastered: Master, band: Spool, vocal: HeardVocal
) -> Level | None:
    """Mix the vocal with the mastered ``band``, master the sum and write it; no ``path``, no mix."""
    if path is None:
        return None

    def accompaniment() -> Iterator[Block]:
        return work.through(mastered.apply(band.blocks))

    def voice() -> Iterator[Block]:
        return vocal.level.tamed(read_blocks(vocal.info))

    levels = (mastered.loudness.integrated_lufs, vocal.level.lufs)
    together = mixed(accompaniment, voice, levels=levels)
    finished = master(together)
    write_wav(path, finished.apply(together), 2, vocal.info.output_samples)
    return Level.of(finished)
