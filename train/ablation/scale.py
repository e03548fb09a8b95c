"""How big the ablation is: small enough for two processor cores and an hour, and stated with every result."""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.packs.manifest import SamplerFacts
from train.networks.denoiser import DenoiserConfig


@dataclass(frozen=True, slots=True)
class Scale:
    """One setting for all variants, so that they differ in nothing else.

    ``frames`` are latent frames a window, in training and when composing; ``songs`` of the corpus and
    ``sung_songs`` with sound are trained on, ``judged_songs`` of the validation split are judged.
    """

    network: DenoiserConfig = field(
        default_factory=lambda: DenoiserConfig(width=128, blocks=4, heads=4, condition_blocks=2)
    )
    steps: int = 400
    batch: int = 8
    frames: int = 256
    learning_rate: float = 2e-3
    songs: int = 460
    sung_songs: int = 80
    judged_songs: int = 16
    trainings: int = 2
    """Seeds of weights and data; how far they lie apart is what a difference must exceed."""
    takes: int = 2
    """Seeds of the noise, a song."""
    held_out: int = 96
    """Validation windows, the same for every variant."""
    style: str = "piano"
    guidance: float = 2.5
    sampler_steps: int = 16

    @property
    def sampler(self) -> SamplerFacts:
        """How takes are drawn: windows as long as those of training, a quarter of each known."""
        return SamplerFacts(
            steps=self.sampler_steps,
            guidance=self.guidance,
            window_frames=self.frames,
            context_frames=self.frames // 4,
        )
