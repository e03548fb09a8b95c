"""Markdown tables of the results: each function takes the results of ``bench.collect`` and returns one."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.extrapolate import real_time_factor
from bench.roofline import FLOPS, gflops_s, times_the_roof

Found = Mapping[str, Any]
NONE = "–"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; empty without rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines]) if lines else ""


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median, with the range if there is more than one value: ``1.50 (1.40-1.70)``."""
    middle = f"{statistics.median(values):.{digits}f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def decibels(value: float) -> str:
    """The value rounded to whole dB, or ``same`` if it is infinite."""
    return "same" if math.isinf(value) and value > 0 else f"{value:.0f}"


def jobs(found: Found) -> str:
    """The whole job with one take on all cores: time and memory by mask, pack and length."""
    rows = []
    for job in found["jobs"].values():
        if job["takes"] != 1 or job["cores"]:
            continue
        middle = statistics.median(job["wall_s"])
        rows.append(
            [
                *(job["mask"], job["precision"], f"{job['audio_s']:g}", spread(job["wall_s"])),
                f"{real_time_factor(middle, job['audio_s']):.4f}",
                f"{statistics.median(job['cpu_s']):.1f}",
                f"{max(job['peak_bytes']) / 2**20:.0f}",
                f"{len(job['wall_s'])}{', with a retry' * job.get('retried', False)}",
            ]
        )
    head = ("as CPU", "pack", "vocal, s", "wall, s", "RTF", "CPU, s", "peak memory, MiB", "runs")
    return markdown(head, rows)


def scaling(found: Found, key: str) -> str:
    """Time of the job by number of ``takes`` or ``cores`` (``key``)."""
    rows = []
    for job in found["jobs"].values():
        same = job["cores"] == 0 if key == "takes" else job["takes"] == 1
        if same and job["precision"] == "INT8" and _varies(found, job, key):
            seconds = statistics.median(job["wall_s"])
            rtf = f"{real_time_factor(seconds, job['audio_s']):.4f}"
            rows.append([job["mask"], f"{job['audio_s']:g}", str(job[key] or "all"), f"{seconds:.2f}", rtf])
    return markdown(("as CPU", "vocal, s", key, "wall, s", "RTF"), rows)


def _varies(found: Found, job: Found, key: str) -> bool:
    others = [o for o in found["jobs"].values() if (o["mask"], o["audio_s"]) == (job["mask"], job["audio_s"])]
    return len({other[key] for other in others}) > 1


def stages(found: Found, audio_s: float) -> str:
    """Seconds by stage of the jobs of ``audio_s`` seconds, as the receipt counts them."""
    chosen = [j for j in found["jobs"].values() if (j["audio_s"], j["takes"], j["cores"]) == (audio_s, 1, 0)]
    names = list(dict.fromkeys(stage for job in chosen for stage in job["stages_s"]))
    rows = [
        [job["mask"], job["precision"]]
        + [f"{statistics.median(job['stages_s'].get(name, [0.0])):.2f}" for name in names]
        + [f"{statistics.median(job['wall_s']) - sum(map(statistics.median, job['stages_s'].values())):.2f}"]
        for job in chosen
    ]
    return markdown(("as CPU", "pack", *names, "start and end"), rows)


def starts(found: Found) -> str:
    """Seconds until ready, disk reads and peak memory of each start."""
    rows = [
        [
            *(start["mask"], start["how"], spread(start["wall_s"])),
            f"{max(start['disk_bytes']) / 2**20:.0f}",
            f"{max(start['peak_bytes']) / 2**20:.0f}",
        ]
        for start in found["starts"].values()
    ]
    return markdown(("as CPU", "start", "ready after, s", "from disk, MiB", "peak memory, MiB"), rows)


def roof_rate(graphs: Found, kind: str = "int8") -> float:
    """The roofline of one mask in GFLOP/s, from the fastest forward pass of its chain."""
    return gflops_s(FLOPS, min(graphs["roof"][kind]))


def flops_of(found: Found, graph: str) -> int:
    """Operations of one timed forward pass of ``graph``."""
    return int(found["flops"][graph]["convolutions"] + found["flops"][graph]["products"])


def graphs(found: Found) -> str:
    """Every graph under every mask: milliseconds, rate, distance from the roofline, INT8 against FP32."""
    rows = []
    for mask, measured in found["graphs"].items():
        roof = roof_rate(measured)
        for graph, seconds in measured["packs"]["INT8"]["seconds"].items():
            total = flops_of(found, graph)
            int8 = statistics.median(seconds)
            fp32 = _fp32(measured, graph)
            kernels = measured["packs"]["INT8"]["kernels"][graph]
            rows.append(
                [
                    *(mask, graph, f"{total / 1e9:.3f}", f"{int8 * 1e3:.2f}"),
                    f"{gflops_s(total, int8):.0f}",
                    f"{times_the_roof(int8, total, roof):.2f}",
                    f"{int8 / _mixed_s(found['flops'][graph], measured):.2f}",
                    NONE if fp32 is None else f"{fp32 * 1e3:.2f}",
                    NONE if fp32 is None else f"{fp32 / int8:.2f}",
                    f"{kernels['int8']}/{kernels['layers']}",
                    str(kernels["reorders"]),
                ]
            )
    head = ("as CPU", "graph", "GFLOP", "INT8, ms", "GFLOP/s", "× roof", "× mixed", "FP32, ms")
    return markdown((*head, "FP32/INT8", "INT8 layers", "reorders"), rows)


def _mixed_s(flops: Found, measured: Found) -> float:
    """Seconds of a forward pass with convolutions at the INT8 roofline and products at the FP32 roofline."""
    return (
        flops["convolutions"] / roof_rate(measured) + flops["products"] / roof_rate(measured, "fp32")
    ) / 1e9


def _fp32(measured: Found, graph: str) -> float | None:
    pack = measured["packs"].get("FP32")
    return statistics.median(pack["seconds"][graph]) if pack else None


def roofs(found: Found, short_s: float) -> str:
    """The roofline of each mask, and the whole job's distance from it."""
    rows = []
    flops = sum(one["in_job"] for one in found["flops"].values())
    for mask, measured in found["graphs"].items():
        roof = roof_rate(measured)
        ideal = flops / roof / 1e9
        spent = sum(
            statistics.median(seconds) * found["flops"][graph]["in_job"] / flops_of(found, graph)
            for graph, seconds in measured["packs"]["INT8"]["seconds"].items()
        )
        wall = [
            statistics.median(job["wall_s"])
            for job in found["jobs"].values()
            if (job["mask"], job["precision"], job["audio_s"], job["takes"], job["cores"])
            == (mask, "INT8", short_s, 1, 0)
        ]
        rows.append(
            [
                *(mask, f"{roof:.0f}", f"{roof_rate(measured, 'fp32'):.0f}", f"{flops / 1e9:.1f}"),
                *(f"{ideal:.2f}", f"{spent:.2f}", f"{spent / ideal:.2f}" if ideal else NONE),
                f"{wall[0]:.2f}" if wall else NONE,
            ]
        )
    head = ("as CPU", "INT8 conv, GFLOP/s", "FP32 conv, GFLOP/s", "GFLOP of the job", "at the roof, s")
    return markdown((*head, "graphs, s", "× roof", "whole job, s"), rows)


def kernels(found: Found, graph: str = "denoiser") -> str:
    """The kernels that run the layers with weights of ``graph``."""
    rows = [
        [
            *(mask, precision, str(facts["reorders"])),
            ", ".join(f"{count} × `{name}`" for name, count in facts["primitives"].items()),
        ]
        for mask, measured in found["graphs"].items()
        for precision, pack in measured["packs"].items()
        if (facts := pack["kernels"].get(graph))
    ]
    return markdown(("as CPU", "pack", "reorders", "kernels of layers with weights"), rows)


def agreement(found: Mapping[str, Mapping[str, float]], unit: str = "dB") -> str:
    """A matrix of pairs of CPUs: SNR in dB, or shares of notes."""
    show = decibels if unit == "dB" else lambda share: f"{share:.3f}"
    rows = [[a, *(NONE if a == b else show(found[a][b]) for b in found)] for a in found]
    return markdown((f"{unit} between", *found), rows)


def peers(found: Found) -> str:
    """Time of the peers, relative to ours where both were measured, and how it was measured."""
    rows = []
    for peer in found.get("peers", []):
        if "missing" in peer:
            rows.append([peer["mask"], peer["name"], NONE, NONE, NONE, peer["missing"]])
            continue
        times = peer.get("times_ours")
        rows.append(
            [
                *(peer["mask"], peer["name"], f"{peer['seconds']:.3g}"),
                NONE if peer["rtf"] is None else f"{peer['rtf']:.3g}",
                NONE if times is None else f"{times:.3g}",
                peer["how"],
            ]
        )
    return markdown(("as CPU", "peer", "seconds", "RTF", "× ours", "how it was measured"), rows)
