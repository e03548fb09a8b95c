"""The sections of the evaluation report; each is measured on its own, stored, and described from its JSON.

- ``setting``: what is evaluated, on which songs, and where answers are stored
- ``section``: the interface of a section
- ``gap``, ``sets``, ``bounds``, ``languages``, ``styles``, ``noise``, ``singing``, ``precision``,
  ``sampling``, ``plan``, ``filled``, ``coherence``, ``takes``: the sections; ``differing``: part of ``takes``
- ``facts``, ``pictures``: format and draw figures
- ``promises``, ``musical_promises``: compare measurements with what was promised; ``promise``: one of them
- ``page``: writes the report as Markdown, JSON and PNG
"""

from __future__ import annotations

from train.evaluate.sections.bounds import BOUNDS_SECTION
from train.evaluate.sections.coherence import COHERENCE_SECTION
from train.evaluate.sections.filled import FILLED_SECTION
from train.evaluate.sections.gap import GAP
from train.evaluate.sections.languages import LANGUAGES
from train.evaluate.sections.noise import NOISE
from train.evaluate.sections.plan import PLAN
from train.evaluate.sections.precision import PRECISION
from train.evaluate.sections.sampling import STEPS_SECTION
from train.evaluate.sections.sets import SETS_SECTION
from train.evaluate.sections.singing import SINGING
from train.evaluate.sections.styles import STYLES_SECTION
from train.evaluate.sections.takes import TAKES_SECTION

SECTIONS = (
    GAP,
    SETS_SECTION,
    BOUNDS_SECTION,
    COHERENCE_SECTION,
    LANGUAGES,
    SINGING,
    NOISE,
    TAKES_SECTION,
    PRECISION,
    STEPS_SECTION,
    PLAN,
    FILLED_SECTION,
    STYLES_SECTION,
)
"""All sections in the order of the report."""
