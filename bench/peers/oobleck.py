"""Times the audio decoder of Stable Audio Open (arXiv 2407.14358).

    python -m bench.peers.oobleck

This is its autoencoder, Oobleck, by ``diffusers`` with the published configuration (the class's default) and
random weights. It is the last step of every system that generates in its latents.
"""

from __future__ import annotations

from typing import Any

from bench.extrapolate import through
from bench.peers.timing import cores, exit_without, median_s, print_row

LATENTS = 1024
"""Latent frames of one piece in the paper: 47.55 s at 2048 samples a frame."""

FRAME_S = 2048 / 44_100
FEW, MORE = 16, 48


def decoding_s() -> tuple[float, str]:
    """Seconds to decode LATENTS frames, extrapolated from fewer, and a text that says how."""
    import torch
    from diffusers import AutoencoderOobleck, __version__

    torch.set_num_threads(cores())
    vae: Any = AutoencoderOobleck().eval()

    def seconds(frames: int) -> float:
        latent = torch.randn(1, 64, frames)
        return median_s(lambda: vae.decode(latent), 1)

    with torch.inference_mode():
        line = through(FEW, seconds(FEW), MORE, seconds(MORE))
    how = f"VAE extrapolated from {FEW} and {MORE} of {LATENTS} latents, diffusers {__version__}, FP32"
    return line.at(LATENTS), how


def main() -> None:
    """Time decoding and print the row."""
    try:
        seconds, how = decoding_s()
    except ImportError as error:
        exit_without("torch" if error.name == "torch" else "diffusers")
    print_row(seconds, LATENTS * FRAME_S, f"decoding alone; {how}")


if __name__ == "__main__":
    main()
