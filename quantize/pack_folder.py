"""Builds a pack in a hidden folder beside its place, then moves it there: whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import openvino

from appliance.errors import OutputError, PackError, UsageError
from appliance.music.score import STYLES
from appliance.packs.dial_table import DIALS_NAME, DialTable
from appliance.packs.manifest import CREDITS_NAME, MANIFEST_NAME, GraphFiles, Manifest
from appliance.packs.originals import ORIGINALS_NAME, read_originals
from appliance.packs.pack import Pack, file_facts, load_pack
from appliance.packs.rhythm_bank import RHYTHMS_NAME, StoredPhrase, bank_text
from appliance.packs.sounds import DEFAULT_SOUNDS, BandSounds
from quantize.exported import ExportedGraphs
from quantize.model_card import CARD_NAME
from quantize.report import REPORT_NAMES
from quantize.riff import read_tables

METRICS_NAME = "metrics.json"


@contextmanager
def staged(out: Path, names: set[str]) -> Iterator[Path]:
    """A folder to fill: it becomes ``out`` when the block succeeds, and is deleted when it raises.

    An earlier pack at ``out`` is replaced, but only if it holds nothing but pack files: those in its own
    manifest, and ``names`` that the new pack may have.

    Raises:
        OutputError: ``out`` holds other files, or cannot be written.
    """
    _refuse_other_files(out, names)
    part, old = (out.parent / f".{out.name}.{ending}" for ending in ("part", "old"))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        for left in (part, old):
            shutil.rmtree(left, ignore_errors=True)
        part.mkdir()
        yield part
        if out.exists():
            out.rename(old)
        try:
            part.rename(out)
        except OSError:
            if old.exists():
                old.rename(out)
            raise
    except OSError as error:
        raise OutputError(f"{error.filename or out}: cannot be written ({error.strerror}).") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if out.exists():
            shutil.rmtree(old, ignore_errors=True)


def pack_names(graphs: ExportedGraphs, soundfont: Path) -> set[str]:
    """Names of the files that a pack of ``graphs`` and ``soundfont`` may have."""
    weights = {f"{name}{ending}" for name in graphs.graphs for ending in (".xml", ".bin")}
    sound = {soundfont.name, licence_of(soundfont).name}
    data = {CREDITS_NAME, DIALS_NAME, METRICS_NAME, ORIGINALS_NAME, RHYTHMS_NAME}
    return weights | sound | data | {CARD_NAME, MANIFEST_NAME, *REPORT_NAMES}


def licence_of(soundfont: Path) -> Path:
    """Path of a soundfont's licence, which ``python -m quantize.soundfont`` writes beside it."""
    return soundfont.with_name(f"{soundfont.stem}-licence.txt")


def add_soundfont(part: Path, soundfont: Path) -> None:
    """Copy a soundfont and its licence into a pack.

    Raises:
        UsageError: not a soundfont, a preset that the band plays is missing, or its licence is missing.
    """
    presets = read_tables(soundfont)["phdr"][:-1]
    found = set(zip(presets["bank"].tolist(), presets["preset"].tolist(), strict=True))
    for bank, program in DEFAULT_SOUNDS.presets():
        if (bank, program) not in found:
            raise UsageError(
                f"{soundfont}: no preset {bank}:{program}; make it with python -m quantize.soundfont."
            )
    licence = licence_of(soundfont)
    if not licence.is_file():
        raise UsageError(f"{licence}: missing; write the soundfont's licence there, the pack needs it.")
    for file in (soundfont, licence):
        shutil.copyfile(file, part / file.name)


def add_metrics(part: Path, metrics: Path) -> None:
    """Copy reference metrics into a pack.

    Raises:
        UsageError: ``metrics`` is missing or not JSON.
    """
    try:
        facts = json.loads(metrics.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"{metrics}: cannot be read as JSON ({error}); write the file again.") from error
    (part / METRICS_NAME).write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n")


def add_credits(part: Path, credits: Sequence[str]) -> None:
    """Write the credits for the training data, one a line; nothing if there are none."""
    if credits:
        (part / CREDITS_NAME).write_text("".join(f"{line}\n" for line in credits), encoding="utf-8")


def add_dials(part: Path, table: DialTable | None) -> None:
    """Write what a dial means in each style; nothing if that was not measured."""
    if table is not None:
        (part / DIALS_NAME).write_text(table.to_json())


def add_rhythms(part: Path, phrases: Sequence[StoredPhrase]) -> None:
    """Write the rhythm bank; nothing if there is none."""
    if phrases:
        (part / RHYTHMS_NAME).write_text(bank_text(phrases))


def add_originals(part: Path, originals: Path | None) -> None:
    """Copy the originals into a pack; nothing if there are none.

    Raises:
        PackError: the appliance could not read them.
    """
    if originals is not None:
        read_originals(originals, originals.read_bytes())
        shutil.copyfile(originals, part / ORIGINALS_NAME)


def manifest_of(part: Path, graphs: ExportedGraphs, soundfont: str, name: str, version: str) -> Manifest:
    """The manifest for the files in ``part``."""
    facts, styles = graphs.checkpoint, styles_of(graphs)
    files = sorted(file for file in part.iterdir() if file.name != MANIFEST_NAME)
    return Manifest(
        name=name,
        version=version,
        licence=facts.licence,
        latent_channels=len(facts.latent_mean),
        latent_mean=facts.latent_mean,
        latent_std=facts.latent_std,
        sampler=facts.sampler,
        thresholds=facts.thresholds,
        fit=facts.fit,
        styles=styles,
        sounds=BandSounds({style: DEFAULT_SOUNDS[style] for style in styles}),
        soundfont=soundfont,
        graphs=GraphFiles(**{graph: f"{graph}.xml" for graph in graphs.graphs}),
        ledger_rows_sha256=facts.ledger_rows_sha256,
        checkpoint_sha256=graphs.checkpoint_sha256,
        files={file.name: file_facts(file) for file in files},
    )


def styles_of(graphs: ExportedGraphs) -> tuple[str, ...]:
    """The styles that the denoiser was trained on: the rows of its style input but the last."""
    denoiser = openvino.Core().read_model(graphs.path("denoiser"))
    rows = int(denoiser.input("style").partial_shape[1].get_length())
    return STYLES[: rows - 1]


def write_manifest(part: Path, manifest: Manifest) -> Pack:
    """Write ``pack.json``, then load the pack with the appliance's own code.

    Raises:
        PackError: the appliance would reject the pack.
    """
    (part / MANIFEST_NAME).write_text(manifest.to_json())
    return load_pack(part)


def _refuse_other_files(out: Path, names: set[str]) -> None:
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: a file has that name; choose another --out.")
    known = set(names)
    with suppress(PackError):  # no pack yet, or an incomplete one
        known |= load_pack(out, verify=False).manifest.files.keys()
    others = sorted(
        place
        for file in out.rglob("*")
        if not file.is_dir() and (place := file.relative_to(out).as_posix()) not in known
    )
    if others:
        raise OutputError(f"{out / others[0]}: not part of a pack; move it away or choose another --out.")
