"""The build side: scores become training examples, training examples become a checkpoint.

From top to bottom; a room imports only from rooms below it:

- ``cli``: the stages in their order; ``__main__`` runs it as ``python -m train``
- ``commands``: its commands
- ``ablation``: what each part of the design is worth
- ``evaluate``: how good is the music?
- ``calibration``: inputs for quantisation
- ``checkpoints``: weights and facts, written and read
- ``training``: one loop for every stage
- ``data``: what training reads, as arrays
- ``networks``: the networks, written to be exported; ``band``: scores as sound; ``arrange``: arrangements in
  every style; ``singer``: scores as singing
- ``corpus``: scores with a proven licence
"""
