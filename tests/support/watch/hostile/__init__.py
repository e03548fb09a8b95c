"""A corpus of files that no inbox should ever see, made from a seed.

- ``recordings``: whole recordings in every container that libsndfile writes
- ``damage``: the same cut off and with bits flipped; ``boundaries``: where
- ``headers``: headers that lie; ``bombs``: small files that would become large ones
- ``strangers``: what is no recording; ``names``: names; ``kinds``: links, pipes and folders;
  ``sidecars``: settings
- ``corpus``: all of it into an inbox; ``disturber``: files that never rest
- ``witness``: what the service did to the rest of the computer
"""
