"""The ablation study: trains small denoisers that differ in one thing each, and compares them.

- ``variants``: the variants, and which is compared with which
- ``scale``: size, steps and number of songs
- ``spectrum``: a latent of a recording's sound, as an alternative to melodic features
- ``recordings``: songs synthesised as audio for that, clean and in a noisy room
- ``sources``: training and validation data of each variant
- ``experiment``: trains a variant, measures its loss, judges its notes
- ``reliance``: how much a trained network uses each path of the condition
- ``run``: runs all of them; can be resumed
- ``report``: tables and limits
"""
