"""A pack: one folder with graphs, soundfont and manifest.

- ``pack``: opened only if it is whole and unaltered
- ``manifest``: ``pack.json``, read strictly
- ``sounds``: which soundfont preset each group of a style plays
"""
