"""The sections of the evaluation report; each is measured on its own, stored, and described from its JSON.

- ``setting``: what is evaluated, on which songs, and where answers are stored
- ``section``: the interface of a section
- ``gap``, ``languages``, ``styles``, ``noise``, ``singing``, ``precision``, ``sampling``, ``plan``,
  ``takes``: the sections
- ``facts``, ``pictures``: format and draw figures
- ``promises``: compares measurements with what was promised
- ``page``: writes the report as Markdown, JSON and PNG
"""

from __future__ import annotations

from train.evaluate.sections.gap import GAP
from train.evaluate.sections.languages import LANGUAGES
from train.evaluate.sections.noise import NOISE
from train.evaluate.sections.plan import PLAN
from train.evaluate.sections.precision import PRECISION
from train.evaluate.sections.sampling import STEPS_SECTION
from train.evaluate.sections.singing import SINGING
from train.evaluate.sections.styles import STYLES_SECTION
from train.evaluate.sections.takes import TAKES_SECTION

SECTIONS = (
    GAP,
    LANGUAGES,
    SINGING,
    NOISE,
    TAKES_SECTION,
    PRECISION,
    STEPS_SECTION,
    PLAN,
    STYLES_SECTION,
)
"""All sections in the order of the report."""
