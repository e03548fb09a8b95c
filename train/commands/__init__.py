"""The commands of ``python -m train``, by topic.

- ``data``, ``networks``, ``checkpoints``: the stages from songs to a checkpoint
- ``dials``: measures what a dial means in each style; ``rhythms``: chooses the phrases of the rhythm bank
- ``originals``: collects the originals and measures the copy gate
- ``pairs``: judges the fit network; ``audio``: trains and judges the audio networks
- ``judging``, ``report``: judge networks and packs; ``ablation``: the ablation study
- ``listening``: renders excerpts to listen to
"""
