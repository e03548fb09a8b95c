"""From FP32 graphs to a pack: INT8 graphs, the soundfont, the manifest.

What stays float: attention products, softmax, norms and everything between layers; :mod:`quantize.int8`
says why. ``python -m quantize GRAPHS --calibration SAMPLES --soundfont band.sf2 --out PACK``.

- ``exported``: reads the folder that export wrote; ``calibration``: reads samples of the graphs' inputs
- ``int8``: quantises one graph to INT8; ``coverage``: counts its INT8 layers; ``fidelity``: measures its
  SNR against FP32
- ``ir``: writes graphs reproducibly
- ``soundfont``: cuts a soundfont to the presets the band plays; ``preset_cut``: the instruments, zones and
  samples they need; ``preset_zones``: reads and writes zones; ``riff``: reads and writes the file's tables
- ``pack_folder``: builds a pack, whole or not at all; ``metrics``: adds metrics to a finished pack
- ``model_card``: MODEL_CARD.md; ``report``: layers, sizes and SNR of each graph
"""
