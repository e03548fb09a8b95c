"""A corpus of files that no inbox should ever see, made from a seed.

- :mod:`hostile.recordings`: whole recordings in every container that libsndfile writes
- :mod:`hostile.damage`: the same cut off and with bits flipped; :mod:`hostile.boundaries`: where
- :mod:`hostile.headers`: headers that lie; :mod:`hostile.bombs`: small files that would become large ones
- :mod:`hostile.strangers`: what is no recording; :mod:`hostile.names`: names; :mod:`hostile.kinds`: links,
  pipes, folders; :mod:`hostile.sidecars`: settings
- :mod:`hostile.corpus`: all of it into an inbox; :mod:`hostile.disturber`: files that never rest
- :mod:`hostile.witness`: what the service did to the rest of the computer
"""
