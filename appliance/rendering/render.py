"""The steps of a render: from a vocal to accompaniment, mix, stems, MIDI and receipt of each take."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from appliance.composing.composer import listen
from appliance.composing.dials import check_dials
from appliance.composing.takes import Take, compose_takes
from appliance.composing.wishes import Wishes
from appliance.errors import NotSungError, UsageError
from appliance.files.write_errors import writing
from appliance.music.midi import write_midi
from appliance.packs.pack import Pack, file_facts
from appliance.rendering.engine import Engine
from appliance.rendering.hearing import tracked
from appliance.rendering.job import HeardVocal, PlayedTake, RenderJob
from appliance.rendering.publication import Publication
from appliance.rendering.receipt import Receipt, make_receipt
from appliance.rendering.sound_files import write_sound_files
from appliance.rendering.stopwatch import DENOISING, Stopwatch
from appliance.system.threads import aside, short_turns

BYTES_PER_SAMPLE = 3 * 2 * 4 + 4 * 2 * 8
"""Largest disk space per sample: finished 24-bit stereo files, and working stems in float32."""

HASHED_AT_ONCE = 2


@short_turns()
def render(
    engine: Engine, job: RenderJob, version: str, on_progress: Callable[[float], None] = lambda _: None
) -> list[Receipt]:
    """Render and publish all takes of ``job``; returns one receipt per take, the best fit first.

    ``on_progress`` receives the share of the job that is done, 0 to 1.

    Raises:
        BacklineError: the job cannot be rendered. Unfinished files have been removed.
    """
    check_pack_can(engine.pack, job.wishes)
    watch = Stopwatch(on_progress)
    sung = tracked(job.vocal, job.wishes, watch)
    with watch.stage("listen"):
        sentence = sung.check.sentence
        if sentence is not None and not job.force:
            if job.original is not None:
                raise NotSungError(f"{job.original.path}: {sentence}.")
            raise NotSungError(f"{job.vocal}: {sentence}, or use --force.")
        reading = listen(engine.graphs, sung.features(), sung.duration_s, job.wishes, sung.track.company)
    with aside(sung.level) as level, watch.stage("compose"):
        # The networks leave a second core mostly idle.
        takes = compose_takes(
            engine.graphs, engine.pack, reading, job.wishes, lambda share: watch.advance(DENOISING * share)
        )
        vocal = sung.heard(level.result())
    receipts = _publish(engine, job, version, vocal, takes, watch)
    on_progress(1.0)
    return receipts


def _publish(
    engine: Engine,
    job: RenderJob,
    version: str,
    vocal: HeardVocal,
    takes: list[Take],
    watch: Stopwatch,
) -> list[Receipt]:
    """Play and publish each take. Its timings include an equal share of the common steps."""
    common = {stage: seconds / len(takes) for stage, seconds in watch.seconds.items()}
    sounds = engine.pack.manifest.sounds[job.wishes.style]
    receipts = []
    for number, take in enumerate(takes, start=1):
        watch.seconds = dict(common)
        with Publication(job.out, job.result_name(number), overwrite=job.overwrite) as publication:
            publication.need_bytes(vocal.info.output_samples * BYTES_PER_SAMPLE)
            score = take.score.transposed(job.wishes.transpose)
            levels = write_sound_files(engine, job.wishes, vocal, score, publication, watch)
            write_midi(publication.path("mid"), score, take.reading.grid, sounds, vocal.band_cents)
            receipt_path = publication.path("receipt.json")
            played = PlayedTake(number, levels, hash_files(publication.folder / "files"), watch.seconds)
            receipt = make_receipt(engine, job, vocal, take, played, version)
            with writing(receipt_path):
                receipt.write(receipt_path)
        receipts.append(receipt)
    return receipts


def hash_files(folder: Path) -> dict[str, str]:
    """SHA-256 of the files below ``folder``, by relative path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    with ThreadPoolExecutor(HASHED_AT_ONCE) as pool:
        hashes = [facts.sha256 for facts in pool.map(file_facts, paths)]
    return dict(zip((str(path.relative_to(folder)) for path in paths), hashes, strict=True))


def check_pack_can(pack: Pack, wishes: Wishes) -> None:
    """Raise UsageError if ``pack`` does not have the requested style or sound, or no dials for it."""
    if wishes.style not in pack.manifest.styles:
        known = ", ".join(pack.manifest.styles)
        raise UsageError(f"The pack has no style '{wishes.style}'; choose one of {known}.")
    check_dials(pack, wishes)
    if wishes.sound == "neural" and pack.manifest.graphs.audio_decoder is None:
        raise UsageError("The pack has no audio decoder for the sound 'neural'; use the sound 'band'.")
