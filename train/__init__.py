"""The build side: turns scores into training data, and training data into a checkpoint.

From top to bottom; a room imports only from rooms below it:

- ``cli``: the command line, with the stages in their order; ``__main__`` runs it as ``python -m train``
- ``commands``: its commands
- ``ablation``: measures what each part of the design contributes
- ``evaluate``: measures the music of a pack
- ``calibration``: records inputs for quantisation
- ``checkpoints``: writes and reads weights and facts
- ``training``: one training loop and a stage for each network
- ``data``: what training reads, as arrays
- ``networks``: the networks, written to be exported; ``band``: plays scores with the soundfont; ``arrange``:
  arranges songs in every style; ``singer``: sings scores
- ``corpus``: reads scores whose licence is proven
"""
