"""From FP32 graphs to a pack: INT8 graphs, the soundfont, the manifest.

What stays float: attention products, softmax, norms and everything between layers; :mod:`quantize.int8`
says why. ``python -m quantize GRAPHS --calibration SAMPLES --soundfont band.sf2 --out PACK``.

``exported``     reads what export left
``calibration``  reads samples of the graphs' inputs
``int8``         one graph to INT8
``coverage``     which layers really are INT8
``fidelity``     how far the INT8 graph is from the FP32 one
``ir``           writes graphs, the same bytes each time
``pack_folder``  puts a pack together, whole or not at all
``model_card``   MODEL_CARD.md and the report
``soundfont``    cuts a soundfont to the presets the band plays
"""
