"""One job: a vocal file becomes accompaniment, mix, stems, MIDI and receipt, one set a take."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from appliance.audio.blocks import BLOCK_SAMPLES, Block, Spool
from appliance.audio.loudness import Loudness, integrated_lufs
from appliance.audio.mastering import Master, master, mixed
from appliance.audio.recording import AudioInfo, probe, read_blocks, read_mono
from appliance.audio.wav_writer import write_wav
from appliance.composing.composer import Wishes, listen, padded, steps_of
from appliance.composing.takes import Take, compose_takes
from appliance.errors import NotSungError, UsageError
from appliance.files.write_errors import writing
from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.midi import write_midi
from appliance.music.score import Score
from appliance.packs.pack import Pack, file_facts
from appliance.playing.neural_band import neural_stems
from appliance.playing.soundfont_band import StemBlock, render_stems
from appliance.rendering.engine import Engine
from appliance.rendering.publication import STEMS_FOLDER, Publication
from appliance.rendering.receipt import Receipt, make_receipt
from appliance.system.threads import Aside, aside, short_turns
from appliance.vocal.check import check_vocal
from appliance.vocal.features import features_of
from appliance.vocal.tracker import PitchTrack, track_pitch

LISTENING, DENOISING, SOUNDING, MASTERING = 0.24, 0.27, 0.21, 0.28
"""Shares of a job's time, as measured on two cores; the progress bar's estimate rests on them."""

BYTES_PER_SAMPLE = 3 * 2 * 4 + 4 * 2 * 8
"""Disk a sample needs at most: finished stereo files of 24 bit, and working stems in float."""

HASHED_AT_ONCE = 2

SOUNDS = ("band", "neural")
"""Who plays the notes: the sampler, or the audio decoder."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to render from ``vocal`` into the folder ``out``.

    Where ``vocal`` is only a decoded copy, ``original`` describes the recording for receipt and sentences.
    ``job`` goes into the receipt, so that whoever asked finds the result again. ``sound`` is one of SOUNDS.
    """

    vocal: Path
    out: Path
    wishes: Wishes = field(default_factory=Wishes)
    takes: int = 1
    seed: int = 0
    force: bool = False
    overwrite: bool = False
    original: AudioInfo | None = None
    job: str | None = None
    sound: str = SOUNDS[0]


@dataclass(frozen=True, slots=True)
class _Singer:
    """What every take needs to know of the vocal: seconds that are surely sung, and its loudness."""

    sung_s: float
    lufs: float


@dataclass(slots=True)
class _Stopwatch:
    """Seconds a stage, and the share of the job that is done."""

    on_progress: Callable[[float], None]
    seconds: dict[str, float] = field(default_factory=dict)
    done: float = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started

    def advance(self, share: float) -> None:
        self.done = min(1.0, self.done + share)
        self.on_progress(self.done)


@short_turns()
def render(
    engine: Engine, request: Request, version: str, on_progress: Callable[[float], None] = lambda _: None
) -> list[Receipt]:
    """Render every take of ``request``; one receipt a take, the best fit first.

    ``on_progress`` is told the share of the job that is done, 0 to 1.

    Raises:
        BacklineError: with a sentence for the user; nothing half-written is left.
    """
    if request.wishes.style not in engine.pack.manifest.styles:
        known = ", ".join(engine.pack.manifest.styles)
        raise UsageError(f"There is no style '{request.wishes.style}' in this pack; choose one of {known}.")
    check_sound(request.sound, engine.pack)
    watch = _Stopwatch(on_progress)
    with watch.stage("read"):
        info = probe(request.vocal)
    with watch.stage("listen"):
        track = _tracked(info, watch)
        check = check_vocal(track)
        if check.sentence is not None and not request.force:
            if request.original is not None:
                raise NotSungError(f"{request.original.path}: {check.sentence}.")
            raise NotSungError(f"{request.vocal}: {check.sentence}, or use --force.")
        features = padded(features_of(track))
        duration_s = info.output_samples / SAMPLE_RATE_HZ
        reading = listen(engine.graphs, features, duration_s, request.wishes)

    def heard(work: Aside[float]) -> float:
        return integrated_lufs(work.through(read_blocks(info)))

    with aside(heard) as lufs, watch.stage("compose"):  # the networks leave much of a second core
        takes = compose_takes(
            engine.graphs,
            engine.pack,
            reading,
            duration_s,
            request.wishes.style,
            range(request.seed, request.seed + request.takes),
            lambda share: watch.advance(DENOISING * share),
            steps_of(engine.pack, reading.features),
            request.wishes.variety,
        )
        singer = _Singer(check.sung_s, lufs.result())
    common = dict(watch.seconds)
    receipts = []
    for number, take in enumerate(takes, start=1):
        watch.seconds = {name: seconds / request.takes for name, seconds in common.items()}
        receipts.append(_take(engine, request, info, singer, take, number, version, watch))
    on_progress(1.0)
    return receipts


def _tracked(info: AudioInfo, watch: _Stopwatch) -> PitchTrack:
    def heard() -> Iterator[Block]:
        for block in read_mono(info):
            watch.advance(LISTENING * len(block) / info.output_samples)
            yield block

    return track_pitch(heard(), info.output_samples)


def _take(
    engine: Engine,
    request: Request,
    info: AudioInfo,
    singer: _Singer,
    take: Take,
    number: int,
    version: str,
    watch: _Stopwatch,
) -> Receipt:
    """Play and publish one take, the ``number``-th best."""
    wishes = request.wishes
    name = request.vocal.stem if request.takes == 1 else f"{request.vocal.stem}.take{number}"
    with Publication(request.out, name, overwrite=request.overwrite) as publication:
        publication.need_bytes(info.output_samples * BYTES_PER_SAMPLE)
        loudness = _sound(engine, request, info, singer, take.score, publication, watch)
        sounds = engine.pack.manifest.sounds[wishes.style]
        write_midi(publication.path("mid"), take.score, take.reading.grid, sounds)
        receipt_path = publication.path("receipt.json")
        staged = publication.folder / "files"
        paths = sorted(path for path in staged.rglob("*") if path.is_file())
        with ThreadPoolExecutor(HASHED_AT_ONCE) as pool:
            hashes = [facts.sha256 for facts in pool.map(file_facts, paths)]
        files = dict(zip((str(path.relative_to(staged)) for path in paths), hashes, strict=True))
        receipt = make_receipt(
            info if request.original is None else request.original,
            engine.pack,
            take.reading,
            wishes,
            version=version,
            seed=take.seed,
            take=number,
            takes=request.takes,
            fit=take.fit,
            retried=take.retried,
            sung_s=singer.sung_s,
            loudness=loudness,
            files=files,
            timings_s=watch.seconds,
            job=request.job,
            sound=request.sound,
            profile=None if engine.profile is None else engine.profile.sha256,
        )
        with writing(receipt_path):
            receipt.write(receipt_path)
    return receipt


def _sound(
    engine: Engine,
    request: Request,
    info: AudioInfo,
    singer: _Singer,
    score: Score,
    publication: Publication,
    watch: _Stopwatch,
) -> Loudness:
    """Play the score into stems, master it, write every sound file; the accompaniment's loudness."""
    total, each = info.output_samples, 1.0 / request.takes
    with ExitStack() as working:
        groups = score.groups()
        alone = len(groups) == 1  # then its stem is the accompaniment
        stems = {} if alone else {g: working.enter_context(Spool(publication.folder)) for g in groups}
        band = working.enter_context(Spool(publication.folder))
        with watch.stage("play"):
            for block in _played(engine, request, score, total):
                for group, stem in stems.items():
                    stem.append(block.stems[group])
                band.append(block.mix())
                watch.advance(SOUNDING * each * block.samples / total)
        with watch.stage("master"):
            whole, mix = publication.path("accompaniment.wav"), publication.path("mix.wav")
            mastered = master(band.blocks)
            with aside(lambda it: _write_mix(mix, it, mastered, band, info, singer.lufs)) as mixing:
                write_wav(whole, mastered.apply(band.blocks), 2, total)
                watch.advance(MASTERING * each / 2)
                for group, stem in stems.items():
                    path = publication.path(f"{group}.wav", folder=STEMS_FOLDER)
                    write_wav(path, mastered.apply(stem.blocks), 2, total)
                if alone:
                    path = publication.path(f"{groups[0]}.wav", folder=STEMS_FOLDER)
                    with writing(path):
                        shutil.copyfile(whole, path)
                mixing.result()
            watch.advance(MASTERING * each / 2)
    return mastered.loudness


def _played(engine: Engine, request: Request, score: Score, total: int) -> Iterator[StemBlock]:
    style = request.wishes.style
    sounds = engine.pack.manifest.sounds[style]
    if request.sound == "neural":
        return neural_stems(score, style, sounds, engine.graphs.gains, total, BLOCK_SAMPLES)
    return render_stems(score, sounds, engine.soundfont, total, BLOCK_SAMPLES)


def _write_mix(
    path: Path, work: Aside[None], mastered: Master, band: Spool, info: AudioInfo, singer_lufs: float
) -> None:
    """The singer of ``info`` with the mastered ``band``, mastered again."""

    def accompaniment() -> Iterator[Block]:
        return work.through(mastered.apply(band.blocks))

    together = mixed(
        accompaniment, lambda: read_blocks(info), levels=(mastered.loudness.integrated_lufs, singer_lufs)
    )
    write_wav(path, master(together).apply(together), 2, info.output_samples)


def check_sound(sound: str, pack: Pack) -> None:
    """Raise UsageError for a sound that is not one of SOUNDS, or that ``pack`` does not have."""
    if sound not in SOUNDS:
        raise UsageError(f"There is no sound '{sound}'; choose one of {', '.join(SOUNDS)}.")
    if sound == "neural" and pack.manifest.graphs.audio_decoder is None:
        raise UsageError(f"--sound neural: {pack.folder} has no audio decoder; use --sound band.")


def check_numbers(takes: int, seed: int, bpm: float | None) -> None:
    """Raise UsageError for numbers that make no sense."""
    if takes < 1:
        raise UsageError(f"--takes {takes}: ask for at least one take.")
    if seed < 0:
        raise UsageError(f"--seed {seed}: a seed is 0 or more.")
    if bpm is not None and not (math.isfinite(bpm) and 10.0 <= bpm <= 400.0):
        raise UsageError(f"--bpm {bpm:g}: not a tempo; give beats a minute between 10 and 400.")
