"""From a checkpoint to graphs: torch -> ONNX -> OpenVINO, and the proof that all three agree.

``python -m export CHECKPOINT --out DIR`` leaves NAME.onnx, NAME.xml and NAME.bin of every graph, a report
(``export-report.json``, ``.md``) and ``graphs.json``, which the quantize room reads.

- ``facts``: checks ``checkpoint.json``, hashes a checkpoint
- ``graphs``: what the graphs are: networks with their last steps, inputs, outputs, free axes
- ``convert``: torch -> ONNX -> OpenVINO, and which products were left in
- ``parity``: the same inputs through all three, at sizes that were not traced
- ``report``: what was found, for people and for the next room
"""
