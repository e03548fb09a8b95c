"""From FP32 graphs to a pack: INT8 graphs, the soundfont, the manifest."""
