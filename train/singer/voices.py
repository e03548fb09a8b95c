"""The singers: one :class:`VoiceSettings` describes one singer on one day.

Real singers differ more than voices of a speech synthesiser, so all settings are drawn from wide ranges: from
a trained voice with even vibrato to an amateur who scoops, drifts and comes in late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Split = Literal["train", "test"]
Sex = Literal["female", "male"]

TRAIN_VARIANTS: dict[str, Sex] = {
    "f1": "female", "f2": "female", "f4": "female", "linda": "female", "steph": "female",
    "m1": "male", "m2": "male", "m4": "male", "m5": "male", "m6": "male", "m8": "male", "Lee": "male",
    "max": "male", "Denis": "male", "Mike": "male", "boris": "male", "anika": "female", "belinda": "female",
}  # fmt: skip
"""Voice variants of espeak-ng 1.51 for training; its Klatt voices are left out, they cannot hold a pitch."""

TEST_VARIANTS: dict[str, Sex] = {
    "f3": "female", "f5": "female", "Alicia": "female", "m3": "male", "m7": "male", "travis": "male",
}  # fmt: skip
"""Held-out variants, for evaluation and demo only."""


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """Settings of a singer."""

    variant: str
    """espeak-ng voice variant, a file in its ``voices/!v`` folder."""
    tessitura_midi: float
    """Middle of the singer's range; songs are transposed by octaves to bring their median pitch nearest."""
    formant_ratio: float = 1.0
    """Stretch of the spectral envelope along frequency; values above 1 mean a smaller head."""
    tilt_db_per_octave: float = 0.0
    """Spectral tilt above 500 Hz."""
    breathiness: float = 0.0
    """Share of noise added to voiced frames, from 0 to 1."""
    vibrato_hz: float = 5.5
    vibrato_cents: float = 30.0
    """Peak deviation of the full vibrato."""
    vibrato_delay_s: float = 0.3
    """Time from the vowel's onset to the start of vibrato."""
    glide_s: float = 0.08
    """Duration of a slide between joined notes."""
    overshoot: float = 0.05
    """Share of the interval by which a leap overshoots."""
    scoop_probability: float = 0.15
    """Probability that a note after a rest starts from below."""
    scoop_cents: float = 120.0
    tuning_cents: float = 0.0
    """Deviation of the whole song from A4 = 440 Hz."""
    drift_cents: float = 5.0
    """Standard deviation of slow drift."""
    pitch_error_cents: float = 8.0
    """Standard deviation of each note's pitch error."""
    jitter_cents: float = 4.0
    """Standard deviation of fast, irregular movement."""
    timing_error_s: float = 0.012
    """Standard deviation of each note's onset error."""
    lag_s: float = 0.0
    """Constant delay; negative means early."""
    legato: float = 0.9
    """Probability that a note lasts until the next one begins."""
    articulation: float = 0.8
    """Share of its duration for which a note sounds if it is not legato."""
    consonant_ratio: float = 1.0
    """Length of consonants relative to typical ones."""
    breath_every_s: float = 7.0
    """Sung time after which the singer breathes even without a rest."""
    breath_level_db: float = -32.0
    """Level of audible breaths relative to the voice; -100 means none."""
    dynamics_db: float = 4.0
    """Range of levels within a phrase."""
    attack_s: float = 0.04
    level_db: float = -20.0
    """RMS of loud vowels in dBFS."""


def voices(split: Split) -> tuple[str, ...]:
    """The espeak-ng variants for ``split``; the two sets are disjoint."""
    return tuple(TRAIN_VARIANTS if split == "train" else TEST_VARIANTS)


def sex_of(variant: str) -> Sex:
    """Sex of a variant's voice."""
    return {**TRAIN_VARIANTS, **TEST_VARIANTS}[variant]


def sample_voice(seed: int, split: Split = "train") -> VoiceSettings:
    """Draw a singer of ``split``; the same seed gives the same singer.

    A common skill from 0 to 1 correlates the errors: a singer who is out of tune is often out of time too.
    """
    rng = np.random.default_rng([seed, 0x51, split == "test"])
    variant = str(rng.choice(voices(split)))
    female = sex_of(variant) == "female"
    skill = rng.uniform()
    clumsiness = 1.0 - skill

    def between(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    has_vibrato = rng.uniform() < 0.3 + 0.5 * skill
    return VoiceSettings(
        variant=variant,
        tessitura_midi=between(62.0, 72.0) if female else between(52.0, 60.0),
        formant_ratio=between(0.92, 1.12),
        tilt_db_per_octave=between(-4.0, 2.0),
        breathiness=between(0.0, 0.5) ** 2,
        vibrato_hz=between(4.5, 6.5),
        vibrato_cents=between(15.0, 80.0) if has_vibrato else between(0.0, 10.0),
        vibrato_delay_s=between(0.1, 0.6),
        glide_s=between(0.03, 0.18),
        overshoot=between(0.0, 0.12),
        scoop_probability=between(0.0, 0.5),
        scoop_cents=between(40.0, 250.0),
        tuning_cents=float(rng.normal(0.0, 18.0)),
        drift_cents=between(0.0, 20.0) * clumsiness,
        pitch_error_cents=between(0.5, 1.0) * 25.0 * clumsiness,
        jitter_cents=between(1.5, 8.0),
        timing_error_s=0.005 + between(0.3, 1.0) * 0.025 * clumsiness,
        lag_s=between(-0.02, 0.05),
        legato=between(0.4, 1.0),
        articulation=between(0.55, 0.95),
        consonant_ratio=between(0.7, 1.3),
        breath_every_s=between(4.0, 10.0),
        breath_level_db=between(-45.0, -20.0) if rng.uniform() < 0.7 else -100.0,
        dynamics_db=between(0.0, 9.0),
        attack_s=between(0.015, 0.09),
        level_db=between(-34.0, -14.0),
    )
