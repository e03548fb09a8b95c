"""Measures of lists of notes.

- ``metrics``: harmony and consonance
- ``gap``: gap closed between shuffled and true, with bootstrap intervals
- ``roll_f1``: compares a score with its reconstruction; ``reconstruct``: that for many songs
- ``crumbs``, ``walking_bass``, ``drum_patterns``: whether a band plays as people do
- ``likeness``: how alike takes are
- ``telling_apart``: how well the fit score distinguishes true accompaniments from wrong ones
"""
