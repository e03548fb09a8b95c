"""A corpus of hostile files for an inbox, made from a seed.

- ``recordings``: valid recordings in every container that libsndfile writes
- ``damage``: truncates them and flips bits; ``boundaries``: offsets at which to cut
- ``headers``: false headers; ``bombs``: small files that decode to large ones
- ``strangers``: files that are not recordings; ``names``: unusual names; ``kinds``: links, pipes and folders;
  ``sidecars``: hostile settings
- ``corpus``: writes all of them into an inbox; ``disturber``: a process that keeps changing files
- ``witness``: records what the service did to the rest of the computer
"""
