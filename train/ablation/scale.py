"""Scale of the ablation: small enough for two CPU cores and an hour, and stored with every result."""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.packs.manifest import SamplerFacts
from train.networks.denoiser import DenoiserConfig


@dataclass(frozen=True, slots=True)
class Scale:
    """Settings that all variants share.

    ``frames`` are latent frames per window, in training and when composing. ``songs`` of the corpus and
    ``sung_songs`` synthesised ones are trained on; ``judged_songs`` of the validation split are judged.
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
    """Number of seeds for weights and data. Their spread shows which differences are small."""
    takes: int = 2
    """Number of noise seeds per song."""
    held_out: int = 96
    """Number of validation windows, the same for every variant."""
    style: str = "piano"
    guidance: float = 2.5
    sampler_steps: int = 16

    @property
    def sampler(self) -> SamplerFacts:
        """Sampler settings: windows as long as in training, with the first quarter known."""
        return SamplerFacts(
            steps=self.sampler_steps,
            guidance=self.guidance,
            window_frames=self.frames,
            context_frames=self.frames // 4,
        )
