"""Packs: folders with graphs, a soundfont and a manifest.

- ``pack``: opens a pack after checking that it is complete and unaltered
- ``manifest``: the contents of ``pack.json``
- ``dial_table``: what a dial means in each style
- ``rhythm_bank``: rhythms of songs, to borrow from
- ``originals``: what the training songs play, to compare takes with
- ``sounds``: the soundfont preset, level, balance and reverb of each group in each style
"""
