"""Records one real job: the inputs of each graph of a pack, and its number of forward passes.

    python -m bench.graph_inputs VOCAL PACK OUT

writes OUT/inputs.npz, and OUT/flops.json with the operations of each graph. It renders the vocal once with
each sound of the pack. The two encoders, which no job needs, get what the job produced. All masks then use
the same inputs, so outputs can be compared and times differ by the mask alone.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import soundfile

from appliance.composing.wishes import Wishes
from appliance.music.score import STYLES
from appliance.networks.graphs import Graphs
from appliance.networks.log_frequency import spectrum_rows
from appliance.packs.pack import Pack, load_pack
from appliance.rendering.engine import Engine
from appliance.rendering.job import RenderJob
from appliance.rendering.render import render
from bench.flops import Flops, count_flops
from bench.recorder import Inputs, Recording, recording, write_inputs

FORWARD_PASS: dict[str, Callable[[Graphs, Inputs], Any]] = {
    "planner": lambda g, x: g.plan(x["features"][0], x["phases"][0]),
    "condition": lambda g, x: g.condition(x["rows"], x["style"]),
    "denoiser": lambda g, x: g.velocity(x),
    "vae_decoder": lambda g, x: g.decode(x["latent"][0]),
    "fit": lambda g, x: g.fit(x["features"][0], x["phases"][0], x["band"][0]),
    "audio_decoder": lambda g, x: g.gains(x["rows"][0], x["style"][0], x["group"][0]),
    "vae_encoder": lambda g, x: g.encode(x["roll"][0]),
    "audio_encoder": lambda g, x: g.hear(x["spectrum"][0], x["style"][0]),
}
"""How the appliance calls each graph, given the inputs of one forward pass."""


def graphs_of(pack: Pack) -> list[str]:
    """The pack's graphs in the order of FORWARD_PASS."""
    return [name for name in FORWARD_PASS if name in pack.manifest.graphs.present()]


def record_job(vocal: Path, folder: Path) -> tuple[Recording, Recording]:
    """Render ``vocal`` with the soundfont; then run the remaining graphs of the pack in ``folder``.

    Returns the two recordings.
    """
    with recording() as job, tempfile.TemporaryDirectory() as out:
        engine = Engine(folder)
        render(engine, RenderJob(vocal, Path(out), force=True), "bench")
    with recording() as others, tempfile.TemporaryDirectory() as out:
        present = graphs_of(engine.pack)
        if "audio_decoder" in present:
            wishes = Wishes(style=STYLES[0], sound="neural")
            render(engine, RenderJob(vocal, Path(out), wishes, force=True), "bench")
        if "vae_encoder" in present:
            engine.graphs.encode(engine.graphs.decode(job.inputs["vae_decoder"]["latent"][0]))
        if "audio_encoder" in present:
            audio, _ = soundfile.read(vocal, dtype="float32", always_2d=True)
            engine.graphs.hear(spectrum_rows(audio.mean(axis=1)), job.inputs["condition"]["style"][0])
    return job, others


def flops_of(pack: Pack, inputs: dict[str, Inputs], job: Recording) -> dict[str, Any]:
    """By graph: operations of a forward pass with ``inputs``, and passes and operations of the whole
    ``job``."""
    import openvino

    def count(graph: str, shapes: dict[str, tuple[int, ...]]) -> Flops:
        return count_flops(openvino.Core().read_model(pack.graph_path(graph)), shapes)

    flops: dict[str, Any] = {}
    for graph, arrays in inputs.items():
        one = count(graph, {name: array.shape for name, array in arrays.items()})
        facts = {"convolutions": one.convolutions, "products": one.products}
        flops[graph] = {**facts, "in_job": 0, "calls_in_job": 0}
    for (graph, shapes), times in job.calls.items():
        flops[graph]["in_job"] += times * count(graph, dict(shapes)).all
        flops[graph]["calls_in_job"] += times
    return flops


def main() -> int:
    """``python -m bench.graph_inputs VOCAL PACK OUT``"""
    vocal, pack, out = map(Path, sys.argv[1:4])
    job, others = record_job(vocal, pack)
    inputs = {**others.inputs, **job.inputs}
    write_inputs(out / "inputs.npz", inputs)
    (out / "flops.json").write_text(json.dumps(flops_of(load_pack(pack, verify=False), inputs, job)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
