"""Writes the results of a run: ``bench.json`` with every figure, ``README.md`` with tables, and pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import tables
from bench.agreement import SAME_DB, worst
from bench.plots import draw
from bench.roofline import FRAMES, NARROW, WIDE

MAIN_OUTPUTS = ("denoiser/velocity", "window/latent")
"""Outputs whose agreement is shown as a matrix; the others show the worst pair only."""

COLUMNS = """- **as CPU**: the generation whose kernels all libraries were made to choose. Clock, caches and
  memory are those of the machine above, so compare rows, not seconds with another machine's.
- **wall, CPU**: median (range) of so many **runs**, in interleaved rounds. **RTF**: wall seconds for each
  second of vocal, start of the process included. **peak memory**: resident, of the largest run. *with a
  retry*: the take fitted badly and was drawn again, so it needed twice as many forward passes.
- **start**: *cold*: pack and libraries dropped from the file cache, nothing compiled before; *first*: files
  in the cache, nothing compiled before; *warm*: compiled graphs are there too, as in every render but the
  first. **from disk** says how much was really read.
- **GFLOP**: 10⁹ multiplications and additions of convolutions and matrix products in one forward pass,
  counted from shapes. Norms, softmax and the rest take time but count no operations.
- **× roof**: how many times as long as at the rate of the best INT8 convolutions of the same process.
  **× mixed**: the same, but with the products of attention, which stay FP32, at the rate of FP32
  convolutions.
- **FP32/INT8**: how many times as fast INT8 is as the same graph in FP32, measured in turns.
- **reorders**: nodes that only change a tensor's layout or precision, as the library inserted them."""

KERNELS = "Kernels of the denoiser"


def write(found: Mapping[str, Any], folder: Path) -> Path:
    """Write everything into ``folder``; returns the Markdown file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.json").write_text(json.dumps(found, indent=1, allow_nan=True) + "\n")
    pictures = draw(found, folder, found["settings"]["short_s"])
    page = folder / "README.md"
    page.write_text(text(found, pictures))
    return page


def text(found: Mapping[str, Any], pictures: list[str]) -> str:
    """The page as Markdown."""
    machine, settings = found["machine"], found["settings"]
    short = settings["short_s"]
    chain = f"{NARROW} → {WIDE} → {NARROW} channels, {FRAMES} frames"
    parts = [
        "# How fast",
        f"{machine['model']}, {machine['cores']} cores, {machine['memory_gib']:.0f} GiB, "
        f"OpenVINO {machine['openvino']}, {machine['date']}. Load before the first case: "
        f"{machine['load']:.1f}{_busy(machine['load'])} {found['rounds']} rounds"
        f" in {found['took_s'] / 60:.0f} minutes: `{settings['command']}`",
        "\n".join(f"- as {said}" for said in found["masks"].values()),
        "\n".join(f"- not measured: {said}" for said in found["skipped"]),
        COLUMNS,
        _section("The whole job", tables.jobs(found), "Length, one take; as the command line does it."),
        _section(f"Stages of the job of {short:g} s", tables.stages(found, short), "Seconds."),
        _section("Takes", tables.scaling(found, "takes")),
        _section("Cores", tables.scaling(found, "cores")),
        _section("Start", tables.starts(found)),
        _section("Graphs", tables.graphs(found)),
        _section("Roofline", tables.roofs(found, short), f"INT8 and FP32 1x1 convolutions, {chain}."),
        _section(KERNELS, tables.kernels(found), "In the graph as it runs."),
        *_agreement(found["agreement"]),
        _section("Peers", tables.peers(found), PEERS),
        *(f"![{name.removesuffix('.png')}]({name})" for name in pictures),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


PEERS = """Same machine, same mask, same run, each in a process of its own. Weights are random where a peer is
not ours; they do not change its speed. A row says if its figure is extrapolated, linearly, from a shorter
piece. MusicGen's steps take longer as the context grows, so its figures flatter it. *× ours*: against our
whole job of a song (of the networks: against a forward pass of our INT8 denoiser)."""


def _section(title: str, table: str, words: str = "") -> str:
    return "\n\n".join(part for part in (f"## {title}", words, table) if part) if table else ""


def _busy(load: float) -> str:
    return "." if load <= 0.5 else " (**something else was running: these figures are worth little**)."


def _agreement(found: Mapping[str, Any]) -> list[str]:
    parts = []
    for precision in (key for key in found if key != "notes"):
        outputs = found[precision]
        if not any(outputs.values()):
            continue
        others = ", ".join(
            f"{name} {tables.decibels(worst(pairs))}"
            for name, pairs in outputs.items()
            if name not in MAIN_OUTPUTS
        )
        words = (
            f"SNR in dB of one CPU's output against another's, same pack, seed and input; {SAME_DB:.0f}"
            f" is the goal. Worst pair of the other outputs: {others}."
        )
        for name in MAIN_OUTPUTS:
            if name in outputs:
                title = f"Agreement between CPUs, {precision}: {name}"
                parts.append(_section(title, tables.agreement(outputs[name]), words))
                words = ""
    if any(found.get("notes", {}).values()):
        words = "Share of the notes of the whole job that two CPUs have in common."
        parts.append(
            _section("Agreement between CPUs: notes", tables.agreement(found["notes"], "share"), words)
        )
    return parts
