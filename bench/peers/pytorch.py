"""Times our own denoiser in PyTorch: ``python -m bench.peers.pytorch INPUTS CHECKPOINT HOW``.

HOW is ``eager`` or ``compile`` (torch.compile with its default backend). Weights are FP32.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.peers.timing import cores, exit_without, median_s, print_row
from bench.recorder import read_inputs

REPEATS = 5


def main() -> None:
    """Time one forward pass and print the row."""
    try:
        import torch

        from export.facts import read_facts
        from export.graphs import graphs_of
        from train.checkpoints.checkpoint import load_checkpoint
    except ImportError:
        exit_without("torch")
    torch.set_num_threads(cores())
    inputs, checkpoint, how = sys.argv[1:]
    facts = read_facts(Path(checkpoint))
    graphs = graphs_of(load_checkpoint(Path(checkpoint)), facts.latent_mean, facts.latent_std)
    graph = next(graph for graph in graphs if graph.name == "denoiser")
    recorded = read_inputs(Path(inputs))["denoiser"]
    tensors = [torch.from_numpy(recorded[port.name]) for port in graph.inputs]
    module = torch.compile(graph.module) if how == "compile" else graph.module
    with torch.inference_mode():
        seconds = median_s(lambda: module(*tensors), REPEATS)
    print_row(seconds, 0.0, f"one forward pass, PyTorch {torch.__version__}, FP32, median of {REPEATS}")


if __name__ == "__main__":
    main()
