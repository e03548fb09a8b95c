"""Plays what a redo changes, and joins it to the sound of the parent.

- A stem that is not named, and whose file is there, is copied.
- A stem that is named is played anew with the gain of the parent. Outside the bars every sample is the
  parent's; the joins lie inside (:mod:`appliance.audio.joining`).
- A stem whose file is gone is played again from its notes.
- Accompaniment and mix are made of the stems and the voice with the parent's gains, and joined likewise.

What sounds at the last border, such as reverb, ends there: after it the sound of the parent goes on, with
what rang over the border in it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from appliance.audio.blocks import BLOCK_SAMPLES, Block, Spool
from appliance.audio.held_gain import master_at
from appliance.audio.joining import SampleSpan, joined
from appliance.audio.loudness import Loudness, measure
from appliance.audio.mastering import Sound, master, total, voice_gain_db
from appliance.audio.recording import read_blocks
from appliance.audio.wav_writer import write_wav
from appliance.composing.wishes import Wishes
from appliance.files.write_errors import writing
from appliance.music.score import DRUM_GROUP, GROUPS, Score
from appliance.rendering.engine import Engine
from appliance.rendering.job import HeardVocal, Level, Levels
from appliance.rendering.publication import STEMS_FOLDER, Publication
from appliance.rendering.redo.change import Change
from appliance.rendering.redo.parent import Parent, wav_blocks
from appliance.rendering.sound_files import has_mix, play
from appliance.rendering.stopwatch import MASTERING, PLAYING, Stopwatch

_ROUNDING = 8 / (1 << 23)
"""Largest sum of rounding errors of stems of 24 bits."""


@dataclass(frozen=True, slots=True)
class RedoneSound:
    """Writes the sound files of a redo into ``publication``."""

    engine: Engine
    parent: Parent
    change: Change
    vocal: HeardVocal
    publication: Publication
    watch: Stopwatch

    def write(self, old: Score, score: Score) -> Levels:
        """Write stems, accompaniment and mix of ``score``, which was ``old`` before; returns their levels.

        Raises:
            OutputError: a file cannot be written.
        """
        groups = self._groups(score)
        files = {group: self.parent.stem(group) for group in groups}
        played = [group for group in groups if group in self.change.groups or files[group] is None]
        with ExitStack() as working:
            with self.watch.stage("play"):
                spools = self._played(score.only(*played), played, working)
                band = self.parent.band or self._band_level(old, working)
            with self.watch.stage("master"):
                stems = self._write_stems(groups, files, spools, band)
                self.watch.advance(MASTERING / 2)
                whole, loudness = self._write_accompaniment(stems, files)
                levels = self._write_mix(whole, Levels(loudness, band), old, working)
                self.watch.advance(MASTERING / 2)
        return levels

    @property
    def _samples(self) -> int:
        return self.vocal.info.output_samples

    @property
    def _span(self) -> SampleSpan | None:
        return self.change.sample_span(self._samples)

    @property
    def _wishes(self) -> Wishes:
        return self.parent.wishes

    def _groups(self, score: Score) -> tuple[str, ...]:
        """Groups that have a stem. One that lost its last note in the bars still sounds around them."""
        present = set(score.groups())
        if self.change.span is not None:
            present |= set(self.parent.groups)
        return tuple(group for group in (*GROUPS, DRUM_GROUP) if group in present)

    def _played(self, score: Score, groups: list[str], working: ExitStack) -> dict[str, Spool]:
        """The stems of ``groups``, not mastered yet."""
        spools = {group: working.enter_context(Spool(self.publication.folder)) for group in groups}
        if groups:
            for block in play(self.engine, self._wishes, score, self._samples, self.vocal.band_cents):
                silence = np.zeros((block.samples, 2), np.float32)
                for group, spool in spools.items():
                    spool.append(block.stems.get(group, silence))
                self.watch.advance(PLAYING * block.samples / self._samples)
        return spools

    def _band_level(self, old: Score, working: ExitStack) -> Level:
        """The level of a parent whose receipt does not tell it: that of its notes, played again."""
        return Level.of(master(self._band(old, working).blocks))

    def _band(self, old: Score, working: ExitStack) -> Spool:
        band = working.enter_context(Spool(self.publication.folder))
        for block in play(self.engine, self._wishes, old, self._samples, self.vocal.band_cents):
            band.append(block.mix())
        return band

    def _write_stems(
        self, groups: Iterable[str], files: dict[str, Path | None], spools: dict[str, Spool], band: Level
    ) -> list[Path]:
        new: tuple[Sound, ...] = tuple(spool.blocks for spool in spools.values())
        finished = tuple(_sound(path) for group, path in files.items() if path and group not in spools)
        if new:
            rest = total(finished) if finished else None
            mastered = master_at(total(new), band.gain_db, band.aim_dbtp, rest)
        stems = []
        for group in groups:
            path, before = self.publication.path(f"{group}.wav", folder=STEMS_FOLDER), files[group]
            if group in spools:
                sound = mastered.apply(spools[group].blocks)
                silent = before is None and not self._was_there(group)
                self._write_joined(path, sound, self._silence() if silent else _blocks_of(before))
            elif before is not None:
                with writing(path):
                    shutil.copyfile(before, path)
            stems.append(path)
        return stems

    def _write_accompaniment(self, stems: list[Path], files: dict[str, Path | None]) -> tuple[Path, Loudness]:
        path, before = self.publication.path("accompaniment.wav"), self.parent.sound("accompaniment.wav")
        if len(stems) == 1:
            with writing(path):
                shutil.copyfile(stems[0], path)
        elif stems:
            self._write(path, total(tuple(map(_sound, stems)))(), before, self._added_up(files, before))
        else:
            write_wav(path, self._silence(), 2, self._samples)
        return path, measure(wav_blocks(path))

    def _added_up(self, files: dict[str, Path | None], whole: Path | None) -> bool:
        """Whether the stems of the parent are there and add up to its accompaniment, but for rounding."""
        stems = [path for group, path in files.items() if path is not None and self._was_there(group)]
        if whole is None or len(stems) < sum(map(self._was_there, files)):
            return False
        blocks = zip(total(tuple(map(_sound, stems)))(), wav_blocks(whole), strict=True)
        return all(float(np.abs(a - b).max()) <= _ROUNDING for a, b in blocks)

    def _write_mix(self, whole: Path, levels: Levels, old: Score, working: ExitStack) -> Levels:
        if not has_mix(self._wishes):
            return levels

        def voice() -> Iterator[Block]:
            return self.vocal.level.tamed(read_blocks(self.vocal.info))

        voice_db, level = self.parent.voice_db, self.parent.mix
        if voice_db is None or level is None:
            voice_db = voice_gain_db(self.parent.facts["loudness_lufs"], self.vocal.level.lufs)
            level = Level.of(
                master(total((self._old_band(levels.band, old, working), voice), (0.0, voice_db)))
            )
        together = total((_sound(whole), voice), (0.0, voice_db))
        path, before = self.publication.path("mix.wav"), self.parent.sound("mix.wav")
        self._write(path, master_at(together, level.gain_db, level.aim_dbtp).apply(together), before)
        return replace(levels, voice_db=voice_db, mix=level)

    def _old_band(self, level: Level, old: Score, working: ExitStack) -> Sound:
        """The accompaniment of the parent: its file, or its notes played again."""
        path = self.parent.sound("accompaniment.wav")
        if path is not None:
            return _sound(path)
        band = self._band(old, working)
        mastered = master_at(band.blocks, level.gain_db, level.aim_dbtp)
        return lambda: mastered.apply(band.blocks)

    def _was_there(self, group: str) -> bool:
        """Whether the parent had a stem of ``group``."""
        return f"{STEMS_FOLDER}/{self.parent.name}.{group}.wav" in self.parent.facts["files"]

    def _write(self, path: Path, new: Iterable[Block], before: Path | None, equal: bool = False) -> None:
        """Write ``new``; outside the bars the samples are those of the file ``before``, if it is there.

        ``equal`` means that the two do not differ at the borders, so that there is nothing to join.
        """
        self._write_joined(path, new, _blocks_of(before), equal)

    def _write_joined(
        self, path: Path, new: Iterable[Block], before: Iterable[Block] | None, equal: bool = False
    ) -> None:
        span = self._span
        if span is not None and before is not None:
            new = joined(before, new, replace(span, joins=not equal))
        write_wav(path, new, 2, self._samples)

    def _silence(self) -> Iterator[Block]:
        for start in range(0, self._samples, BLOCK_SAMPLES):
            yield np.zeros((min(BLOCK_SAMPLES, self._samples - start), 2), np.float32)


def _blocks_of(path: Path | None) -> Iterator[Block] | None:
    return None if path is None else wav_blocks(path)


def _sound(path: Path) -> Callable[[], Iterator[Block]]:
    return lambda: wav_blocks(path)
