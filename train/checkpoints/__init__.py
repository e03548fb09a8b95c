"""A checkpoint: averaged weights of every network and what they were trained on.

- ``checkpoint``: the folder, written and read
- ``assemble``: from runs to a checkpoint
- ``adopt``: from a checkpoint back to runs, to train on
- ``fit_anchors``: what a fit score is worth
"""
