"""Runs all variants one after the other and stores each result, so that a stopped run can resume."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from appliance.errors import UsageError
from appliance.files.whole import whole_file, write_whole
from train.ablation import recordings
from train.ablation.experiment import Laboratory, Outcome
from train.ablation.reliance import reliance
from train.ablation.report import as_section
from train.ablation.scale import Scale
from train.ablation.sources import Songs, Sources, choose
from train.ablation.variants import VARIANTS, Variant
from train.corpus.ledger import read_ledger
from train.networks.generator import Generator
from train.networks.planner import Planner, PlannerConfig
from train.networks.vae import ScoreVae, VaeConfig
from train.training.state import load_ema

OUTCOMES = "outcomes"
RELIANCE = "reliance.json"
SECTION = "ablations.json"
PAGE = "ablations.md"


def sing_songs(
    corpus: Path, songs: Songs, folder: Path, workers: int, on_done: Callable[[str], None]
) -> None:
    """Sing the songs of the last two variants: the judged songs, then the training songs."""
    rows = {row.id: row for row in read_ledger(corpus)}
    chosen = [rows[song.id] for song in (*songs.judged, *songs.sung)]
    recordings.build(corpus, chosen, folder / "sung", workers, on_done)


def laboratory(runs: Path, folder: Path, scale: Scale) -> Laboratory:
    """The shared parts, with planner and score VAE copied from ``runs`` at the ablation's first run."""
    networks = {"vae": ScoreVae(VaeConfig()), "planner": Planner(PlannerConfig())}
    for name, network in networks.items():
        kept = folder / f"{name}.safetensors"
        if not kept.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with (runs / name / "state.safetensors").open("rb") as state, whole_file(kept) as copy:
                shutil.copyfileobj(state, copy)
        load_ema(kept, network)
    sources = Sources(runs / "cache", folder, choose(runs / "cache", scale), networks["vae"])  # type: ignore[arg-type]
    return Laboratory(sources, networks["planner"], folder, scale)  # type: ignore[arg-type]


def jobs(scale: Scale, chosen: Sequence[Variant] = VARIANTS) -> list[tuple[Variant, int]]:
    """(variant, seed) in training order: all variants once, then the repeats of those on the corpus."""
    once = [(variant, 0) for variant in chosen]
    again = [(v, seed) for seed in range(1, scale.trainings) for v in chosen if v.sung is None and v.plan]
    return once + again


def run(
    lab: Laboratory, chosen: Sequence[Variant], on_outcome: Callable[[Outcome], None] = lambda _: None
) -> list[Outcome]:
    """Measure what is not yet measured, and rewrite the report after every training.

    Several processes may share the work, each with its own variants.

    Raises:
        UsageError: the folder holds an ablation of another scale.
    """
    stored_outcomes(lab.runs, lab.scale)
    for variant, seed in jobs(lab.scale, chosen):
        file = lab.runs / OUTCOMES / f"{variant.name}-{seed}.json"
        if not file.is_file():
            measured = lab.measure(variant, seed)
            facts = {"scale": asdict(lab.scale), "outcomes": [outcome.as_json() for outcome in measured]}
            file.parent.mkdir(exist_ok=True)
            write_whole(file, json.dumps(facts).encode() + b"\n")
            for outcome in measured:
                on_outcome(outcome)
        write_report(lab)
    return stored_outcomes(lab.runs, lab.scale)


def stored_outcomes(folder: Path, scale: Scale) -> list[Outcome]:
    """Results so far, in the order of the jobs.

    Raises:
        UsageError: a result was measured at another scale.
    """
    outcomes = []
    for variant, seed in jobs(scale):
        file = folder / OUTCOMES / f"{variant.name}-{seed}.json"
        if not file.is_file():
            continue
        stored = json.loads(file.read_text())
        if stored["scale"] != json.loads(json.dumps(asdict(scale))):
            raise UsageError(f"{file}: measured at another scale; move {folder} away, or use that scale.")
        outcomes += [Outcome.from_json(outcome) for outcome in stored["outcomes"]]
    return outcomes


def measure_reliance(lab: Laboratory, full_size: Generator | None) -> None:
    """Measure the reliance of the small "soft" network, and of one of full size; skips it if stored."""
    file = lab.runs / RELIANCE
    if file.is_file():
        return
    soft = VARIANTS[0]
    source = lab.sources.held_out(soft, "clean")
    networks = {"small": lab.trained(soft, 0), "full size": full_size}
    relied = {name: reliance(n.eval(), source, lab.scale) for name, n in networks.items() if n is not None}
    write_whole(file, json.dumps(relied).encode() + b"\n")
    write_report(lab)


def write_report(lab: Laboratory) -> None:
    """Write the section with all results so far, as JSON and Markdown."""
    outcomes = stored_outcomes(lab.runs, lab.scale)
    sung = any(outcome.variant == "recording" for outcome in outcomes)
    relied = lab.runs / RELIANCE
    section = as_section(
        outcomes,
        lab.scale,
        lab.sources.components().kept if sung else None,
        json.loads(relied.read_text()) if relied.is_file() else None,
    )
    write_whole(lab.runs / SECTION, json.dumps(section, indent=1, allow_nan=False).encode() + b"\n")
    write_whole(lab.runs / PAGE, f"# {section['title']}\n\n{section['markdown']}\n".encode())
