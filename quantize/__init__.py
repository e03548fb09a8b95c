"""From FP32 graphs to a pack: INT8 graphs, the soundfont, the manifest.

What stays float: attention products, softmax, norms and everything between layers; :mod:`quantize.int8`
says why. ``python -m quantize GRAPHS --calibration SAMPLES --soundfont band.sf2 --out PACK``.

- ``exported``: reads what export left; ``calibration``: reads samples of the graphs' inputs
- ``int8``: one graph to INT8; ``coverage``: which layers really are; ``fidelity``: how far it is from FP32
- ``ir``: writes graphs, the same bytes each time
- ``soundfont``: cuts a soundfont to the presets the band plays; ``preset_cut``: what they need of it;
  ``preset_zones``: its zones; ``riff``: its tables
- ``pack_folder``: puts a pack together, whole or not at all; ``metrics``: metrics into a finished pack
- ``model_card``: MODEL_CARD.md; ``report``: what quantisation did to each graph
"""
