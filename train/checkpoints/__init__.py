"""Checkpoints: the averaged weights of every network, with the facts of their training.

- ``checkpoint``: writes and reads the folder
- ``assemble``: makes a checkpoint of runs
- ``adopt``: makes runs of a checkpoint, to continue training
- ``student_start``: the weights with which a student of a further trained denoiser begins
- ``fit_anchors``: scale of the fit score; ``chord_bias``: balances the likeliest chords
"""
