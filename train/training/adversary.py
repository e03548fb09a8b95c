"""Discriminators for the audio decoder: multi-period on samples and multi-resolution on spectra.

Multi-period as in HiFi-GAN (Kong et al., arXiv 2010.05646), multi-resolution as in UnivNet (Jang et al.,
arXiv 2106.07889), hinge losses and weights as in Vocos (arXiv 2306.00814). They make noise and phases more
natural than spectral losses alone, but cost several times the decoder, so they are used on a GPU only.

Letters: B batch, S samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.training.spectral_loss import magnitudes

PERIODS = (2, 3, 5, 7, 11)
WINDOWS = (512, 1024, 2048)
WEIGHT = 1.0 / 45.0
"""Weight of adversarial terms relative to the log mel distance."""

SLOPE = 0.1


class Discriminator(nn.Module):
    """Strided 2-D convolutions on (B, 1, H, W); returns its verdict and its feature maps."""

    def __init__(self, channels: Sequence[int], stride: tuple[int, int]) -> None:
        super().__init__()
        widths = [1, *channels]
        self.layers = nn.ModuleList(
            nn.utils.parametrizations.weight_norm(nn.Conv2d(a, b, (5, 3), stride, padding=(2, 1)))
            for a, b in pairwise(widths)
        )
        self.verdict = nn.Conv2d(widths[-1], 1, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        seen = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE)
            seen.append(x)
        return self.verdict(x), seen


class Adversary(nn.Module):
    """All discriminators with their optimiser; they train in the same step as the decoder.

    They are not saved with the run, so a resumed run starts with new ones.
    """

    def __init__(self, channels: Sequence[int] = (32, 64, 128, 128), learning_rate: float = 2e-4) -> None:
        super().__init__()
        self.by_period = nn.ModuleList(Discriminator(channels, (3, 1)) for _ in PERIODS)
        self.by_window = nn.ModuleList(Discriminator(channels, (2, 2)) for _ in WINDOWS)
        self.optimiser = torch.optim.AdamW(self.parameters(), learning_rate, betas=(0.8, 0.9))

    def forward(self, sound: Tensor) -> list[tuple[Tensor, list[Tensor]]]:
        """Verdict and feature maps of every discriminator for ``sound`` (B, S)."""
        views = []
        for period, discriminator in zip(PERIODS, self.by_period, strict=True):
            whole = sound[:, : sound.shape[1] // period * period]
            views.append(discriminator(whole.reshape(len(sound), 1, -1, period)))
        for size, discriminator in zip(WINDOWS, self.by_window, strict=True):
            level = torch.log(magnitudes(sound, size) + 1e-4)
            views.append(discriminator(level.unsqueeze(1)))
        return views

    def learn(self, made: Tensor, wanted: Tensor) -> Tensor:
        """Train the discriminators for one step on ``made`` and ``wanted`` sound, both (B, S)."""
        pairs = zip(self(made.detach()), self(wanted), strict=True)
        losses = [F.relu(1.0 + a).mean() + F.relu(1.0 - b).mean() for (a, _), (b, _) in pairs]
        loss = torch.stack(losses).mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return loss.detach()

    def terms(self, made: Tensor, wanted: Tensor) -> dict[str, Tensor]:
        """Losses for the decoder: the adversarial hinge loss and feature matching."""
        with torch.no_grad():
            truth = self(wanted)
        fooled, features = [], []
        for (verdict, seen), (_, true_seen) in zip(self(made), truth, strict=True):
            fooled.append(F.relu(1.0 - verdict).mean())
            features += [F.l1_loss(a, b) for a, b in zip(seen, true_seen, strict=True)]
        return {"fooled": torch.stack(fooled).mean(), "features": torch.stack(features).mean()}
