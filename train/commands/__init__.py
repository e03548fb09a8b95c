"""The commands of ``python -m train``, by what they are about.

- ``data``, ``networks``, ``checkpoints``: the stages from songs to a checkpoint
- ``pairs``: the fit network; ``audio``: the audio networks
- ``judging``, ``report``: how good it is; ``ablation``: what each part is worth
"""
