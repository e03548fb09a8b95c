"""The runtime: a vocal recording goes in, a full accompaniment comes out. Never imports torch.

From top to bottom; a room imports only from rooms below it (``lint-imports``):

- ``cli``: the command line; ``__main__`` runs it as ``python -m appliance``
- ``doctor``: can this computer do the job?
- ``watch``: the watched folder, a service; ``releases``: installed releases and packs
- ``rendering``: one job, from a vocal file to published files
- ``tuning``: which way of computing each graph is fastest on this CPU
- ``composing``: from what is sung to notes; ``playing``: from notes to sound
- ``networks``: the pack's graphs, compiled and called; ``novelty``: how new a take is
- ``packs``: a pack on disk and its manifest
- ``vocal``: what is sung; ``audio``: sound in, sound out, loudness; ``music``: notes, keys, chords, beats;
  ``signatures``: who signed a file
- ``system``: CPU, memory, threads, kernel calls; ``files``: names and folders that survive a power cut;
  ``numerics``: algorithms and scales of the textbooks
- ``grid``: the sample and frame rates that everything shares; ``errors``: what can go wrong
"""
