"""The paper's own code (arXiv 2507.19991) from a checkout: ``python -m bench.peers.paper CHECKOUT``.

Its denoiser with random weights, called as its sampler calls it: 800 steps, and with guidance each of them
evaluates it twice, one after the other. So a piece of 1,024 latents (47.55 s) is 1,600 forwards and one
decoding by the autoencoder of Stable Audio Open. A few forwards are timed and multiplied.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path

from bench.peers.oobleck import FRAME_S, LATENTS, decoding_s
from bench.peers.timing import cores, median_s, missing, tell

CHANNELS = 64
FORWARDS = 2 * 800
REPEATS = 3


def main() -> None:
    """Time forwards and decoding."""
    try:
        import torch
    except ImportError:
        missing("torch")
    torch.set_num_threads(cores())
    sys.path.insert(0, str(Path(sys.argv[1]) / "src"))
    with redirect_stdout(sys.stderr):  # its modules print as they are imported
        from model import DiffusionModel

        model = DiffusionModel().eval()
    latent, vocal = torch.randn(1, CHANNELS, LATENTS), torch.randn(1, CHANNELS, LATENTS)
    step = torch.full((1,), 400, dtype=torch.long)
    with torch.inference_mode():
        forward_s = median_s(lambda: model(latent, vocal, step), REPEATS)
    how = f"extrapolated: {FORWARDS} forwards of {forward_s * 1e3:.0f} ms each (median of {REPEATS})"
    try:
        decoding, words = decoding_s()
    except ImportError:
        decoding, words = 0.0, "without decoding, as diffusers is not installed"
    tell(forward_s * FORWARDS + decoding, LATENTS * FRAME_S, f"{how}, and decoding, {words}")


if __name__ == "__main__":
    main()
