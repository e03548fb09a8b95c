"""The seven dials: attributes of what is played that a user may turn up or down.

A dial counts standard deviations of what songs of the style do: 0 is the style's mean, −2 and +2 its edges.
:mod:`appliance.music.attributes` measures the attributes. The daemon reads this module, so it needs no NumPy.
"""

from __future__ import annotations

DIALS = ("density", "register", "syncopation", "articulation", "voices", "doubling", "colour")
"""How many strokes a beat; how high; how much against the beat; how legato; how many notes a stroke; how much
of the tune the band plays; how many chords have more tones than a triad."""

LOWEST_DIAL, HIGHEST_DIAL = -2.0, 2.0

LEAST_STEPS = {
    "density": 0.3,
    "register": 2.0,
    "syncopation": 0.25,
    "articulation": 0.3,
    "voices": 0.5,
    "doubling": 0.12,
    "colour": 0.15,
}
"""Least change of an attribute by one step of its dial. Songs of an arranged style differ by less than a
semitone in register; a dial of such steps would not be heard."""

LIMITS = {
    "syncopation": (0.0, 5.0),
    "voices": (1.0, 12.0),
    "doubling": (0.0, 1.0),
    "colour": (0.0, 1.0),
}
"""Lowest and highest value that an attribute can have; the others have none."""
