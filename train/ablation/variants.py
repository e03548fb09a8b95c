"""What is compared: one small denoiser a variant, each with one thing of the design changed.

The first four are trained on songs of the corpus as the denoiser proper is. The last two say what the
melodic features are worth against a latent of the recording; for them songs are sung with sound, and since
a recording cannot be moved to another key as features can, neither of them is: both learn in every key,
without plan and beats.
"""

from __future__ import annotations

from dataclasses import dataclass

MELODY, RECORDING = "melody", "recording"


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to train.

    ``sung`` is None for the corpus's simulated melodies, else which view of a real recording is given.
    ``against`` names the variant it is compared with.
    """

    name: str
    title: str
    against: str | None
    alignment: str = "soft"
    plan: bool = True
    sung: str | None = None

    @property
    def conditions(self) -> tuple[str, ...]:
        """Recording conditions under which it is judged."""
        return ("clean",) if self.sung is None else ("clean", "noisy room")


VARIANTS = (
    Variant("soft", "soft alignment", None),
    Variant("local", "local attention alone", "soft", alignment="local"),
    Variant("global", "global attention alone", "soft", alignment="global"),
    Variant("no-plan", "soft alignment, no plan", "soft", plan=False),
    Variant("melody", "melodic features", None, plan=False, sung=MELODY),
    Variant("recording", "latent of the recording", "melody", plan=False, sung=RECORDING),
)
"""In the order in which they are trained."""


def variant(name: str) -> Variant:
    """The variant called ``name``."""
    return next(v for v in VARIANTS if v.name == name)
