"""The variants: small denoisers, each with one part of the design changed.

The first four are trained on songs of the corpus, as the full denoiser is. The last two compare melodic
features with a latent of the recording, on synthesised songs. A recording cannot be transposed as features
can, so both see songs in their own keys, without plan and beats.
"""

from __future__ import annotations

from dataclasses import dataclass

MELODY, RECORDING = "melody", "recording"


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant of the denoiser.

    ``sung`` is None for the corpus's simulated melodies, otherwise the view of a recording (MELODY or
    RECORDING) that conditions it. ``against`` names the variant it is compared with.
    """

    name: str
    title: str
    against: str | None
    alignment: str = "soft"
    plan: bool = True
    sung: str | None = None

    @property
    def conditions(self) -> tuple[str, ...]:
        """Recording conditions under which the variant is judged."""
        return ("clean",) if self.sung is None else ("clean", "noisy room")


VARIANTS = (
    Variant("soft", "soft alignment", None),
    Variant("local", "local attention alone", "soft", alignment="local"),
    Variant("global", "global attention alone", "soft", alignment="global"),
    Variant("no-plan", "soft alignment, no plan", "soft", plan=False),
    Variant("melody", "melodic features", None, plan=False, sung=MELODY),
    Variant("recording", "latent of the recording", "melody", plan=False, sung=RECORDING),
)
"""All variants in training order."""


def variant(name: str) -> Variant:
    """The variant called ``name``."""
    return next(v for v in VARIANTS if v.name == name)
