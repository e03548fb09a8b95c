"""Times every graph of one or two packs in one process, which ``bench`` runs under a mask.

    python -m bench.graph_worker INPUTS.npz OUTPUTS.npz REPEATS THREADS PACK [PACK]

prints JSON: by pack and graph the seconds of each forward pass, the kernels and the number of reorders; and
the seconds of the roofline's chain in INT8 and FP32. Packs and chains take turns after each forward pass, so
that ratios compare the same moments. OUTPUTS.npz gets the graphs' outputs.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from appliance.composing.sampler import euler, timesteps
from appliance.networks.graphs import Array, Graphs
from appliance.networks.kernel_count import count_kernels
from appliance.packs.manifest import SamplerFacts
from appliance.packs.pack import Pack, load_pack
from bench.graph_inputs import FORWARD_PASS, graphs_of
from bench.recorder import Inputs, read_inputs, recording
from bench.roofline import FRAMES, NARROW, chain

WINDOW = "window"
"""Name of the latent after all sampling steps of a window, where differences between CPUs add up."""


def kernels_of(compiled: Any) -> dict[str, Any]:
    """Layers with weights by kernel, and the number of reorders, of a compiled graph."""
    found = count_kernels(compiled)
    return {
        "primitives": dict(found.primitives),
        "layers": found.layers,
        "int8": found.int8,
        "reorders": count_type(compiled, "Reorder"),
    }


def count_type(compiled: Any, kind: str) -> int:
    """Number of nodes of one type in the compiled graph."""
    nodes = compiled.get_runtime_model().get_ordered_ops()
    return sum(str(node.get_rt_info()["layerType"].astype(str)) == kind for node in nodes)


def window_of(graphs: Graphs, inputs: Inputs, sampler: SamplerFacts) -> Array:
    """The latent of a window after all sampling steps, from fixed noise.

    Shape (B, Z, W): batch, latent channels, latent frames of the window.
    """

    def velocity(x: Array, t: float, stride: float) -> Array:
        moment = {**inputs, "latent": x, "timestep": np.full_like(inputs["timestep"], t)}
        if "stride" in inputs:
            moment["stride"] = np.full_like(inputs["stride"], stride)
        return graphs.velocity(moment)

    noise = np.random.default_rng(0).standard_normal(inputs["latent"].shape, dtype=np.float32)
    return euler(velocity, noise, timesteps(sampler.steps, sampler.shift))


def alternately(calls: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each call, taking turns, ``repeats`` times; the first round is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(repeats + 1):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if number:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def roof(threads: int) -> dict[str, Callable[[], Any]]:
    """The roofline's chains, compiled as the appliance compiles graphs."""
    import openvino

    config = {
        "INFERENCE_NUM_THREADS": str(threads),
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    x = np.random.default_rng(1).standard_normal((1, NARROW, FRAMES), dtype=np.float32)
    requests = {
        name: openvino.Core().compile_model(chain(name == "int8"), "CPU", config).create_infer_request()
        for name in ("int8", "fp32")
    }
    return {name: lambda request=request: request.infer({"x": x}) for name, request in requests.items()}


def measure(
    packs: list[Pack], inputs: dict[str, Inputs], repeats: int, threads: int
) -> tuple[dict[str, Any], dict[str, Array]]:
    """The measurements that :func:`main` prints, and outputs named ``PACK_NUMBER/GRAPH/OUTPUT``."""
    names = [name for name in graphs_of(packs[0]) if name in inputs]
    made = [Graphs(pack, threads) for pack in packs]
    outputs: dict[str, Array] = {}
    found: list[dict[str, Any]] = []
    for number, (graphs, pack) in enumerate(zip(made, packs, strict=True)):
        with recording() as heard:
            for name in names:
                FORWARD_PASS[name](graphs, inputs[name])
        kernels = {}
        for name in names:
            request = heard.requests[name]
            kernels[name] = kernels_of(request.get_compiled_model())
            for port in request.get_compiled_model().outputs:
                output = min(port.names, key=len)  # the appliance's name; longer ones are paths in the graph
                outputs[f"{number}/{name}/{output}"] = request.get_tensor(port).data.copy()
        latent = window_of(graphs, inputs["denoiser"], pack.manifest.sampler)
        outputs[f"{number}/{WINDOW}/latent"] = latent
        found.append({"pack": str(pack.folder), "sha256": pack.sha256, "kernels": kernels, "seconds": {}})
    chains = roof(threads)
    roofs: dict[str, list[float]] = {name: [] for name in chains}
    for name in names:
        calls = {
            str(n): lambda g=g, name=name: FORWARD_PASS[name](g, inputs[name]) for n, g in enumerate(made)
        }
        for key, seconds in alternately({**calls, **chains}, repeats).items():
            if key in roofs:
                roofs[key] += seconds
            else:
                found[int(key)]["seconds"][name] = seconds
    return {"packs": found, "roof": roofs, "threads": threads}, outputs


def main() -> int:
    """Measure, write the outputs, print the measurements."""
    inputs, outputs, repeats, threads, *packs = sys.argv[1:]
    opened = [load_pack(Path(folder), verify=False) for folder in packs]
    found, made = measure(opened, read_inputs(Path(inputs)), int(repeats), int(threads))
    np.savez(outputs, **made)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
