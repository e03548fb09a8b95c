"""The evaluation report in sections, each measured on its own, kept, and told from what was kept.

- ``setting``: what is evaluated, on what, where answers are kept
- ``section``: what a section is
- ``gap``, ``languages``, ``styles``, ``noise``, ``singing``, ``precision``, ``sampling``, ``plan``,
  ``takes``: the sections
- ``facts``, ``pictures``: how figures are written and drawn
- ``promises``: numbers asked against numbers measured
- ``page``: the whole as Markdown, JSON and PNG
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
"""In the order of the report."""
