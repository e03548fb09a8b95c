"""Times the code of the paper arXiv 2507.19991, from a checkout: ``python -m bench.peers.paper CHECKOUT``.

This is its denoiser with random weights, called as its sampler calls it: 800 steps of two forward passes one
after the other, for guidance. A piece of 1,024 latents (47.55 s) thus takes 1,600 forward passes, and one
decoding by the autoencoder of Stable Audio Open. A few forward passes are timed and multiplied.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path

from bench.peers.oobleck import FRAME_S, LATENTS, decoding_s
from bench.peers.timing import cores, exit_without, median_s, print_row

CHANNELS = 64
FORWARDS = 2 * 800
REPEATS = 3


def main() -> None:
    """Time forward passes and decoding, and print the row."""
    try:
        import torch
    except ImportError:
        exit_without("torch")
    torch.set_num_threads(cores())
    sys.path.insert(0, str(Path(sys.argv[1]) / "src"))
    with redirect_stdout(sys.stderr):  # its modules print while they are imported
        from model import DiffusionModel

        model = DiffusionModel().eval()
    latent, vocal = torch.randn(1, CHANNELS, LATENTS), torch.randn(1, CHANNELS, LATENTS)
    step = torch.full((1,), 400, dtype=torch.long)
    with torch.inference_mode():
        forward_s = median_s(lambda: model(latent, vocal, step), REPEATS)
    how = f"extrapolated: {FORWARDS} forward passes of {forward_s * 1e3:.0f} ms each (median of {REPEATS})"
    try:
        decoding, words = decoding_s()
    except ImportError:
        decoding, words = 0.0, "not measured: diffusers is not installed"
    print_row(forward_s * FORWARDS + decoding, LATENTS * FRAME_S, f"{how}, and decoding, {words}")


if __name__ == "__main__":
    main()
