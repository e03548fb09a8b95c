"""Measures of lists of notes.

- ``metrics``: harmony and consonance
- ``gap``: gap closed between shuffled and true, with bootstrap intervals
- ``likeness``: how alike takes are
- ``chord_bigrams``, ``played_chords``: whether chords that are played follow each other as written ones do
- ``roll_f1``: compares a score with its reconstruction; ``reconstruct``: that for many songs
- ``crumbs``, ``walking_bass``, ``drum_patterns``: whether a band plays as people do
- ``likeness``: how alike takes are
- ``telling_apart``: how well the fit score distinguishes true accompaniments from wrong ones
"""
