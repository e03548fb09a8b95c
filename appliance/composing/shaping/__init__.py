"""Shapes the notes of a take until the attributes that the dials turn are what was asked.

- ``shape``: the loop over the seven dials, and what it returns
- ``in_key``: leaves out what would lead away from the given key
- ``song``: what a shaper must respect: bars, chords, key, the tune
- ``strokes``: the strokes of the upper parts, and their places in the bar
- ``edits``: small changes of a score, applied in the same way to equal bars, until an attribute fits
- ``chord_colours``: which tones colour a triad in its key, and what the chord is called then
- ``density``, ``register``, ``syncopation``, ``articulation``, ``voices``, ``doubling``, ``colour``: one
  shaper each

A shaper changes the upper parts only, never bass or drums, and only notes that begin in its bars.
"""
