"""The seven dials: attributes of what is played that a user may turn up or down.

A dial counts standard deviations of what songs of the style do: 0 is the style's mean, −2 and +2 its edges.
:mod:`appliance.music.attributes` measures the attributes. The daemon reads this module, so it needs no NumPy.
"""

from __future__ import annotations

DIALS = ("density", "register", "syncopation", "articulation", "voices", "doubling", "colour")
"""How many strokes a beat; how high; how much against the beat; how legato; how many notes a stroke; how much
of the tune the band plays; how many chords have more tones than a triad."""

LOWEST_DIAL, HIGHEST_DIAL = -2.0, 2.0
