"""From a checkpoint to graphs: torch -> ONNX -> OpenVINO, and the proof that all three agree.

``python -m export CHECKPOINT --out DIR`` writes NAME.onnx, NAME.xml and NAME.bin for every graph, a report
(``export-report.json``, ``.md``) and ``graphs.json``, which the quantize room reads.

- ``facts``: checks ``checkpoint.json``, hashes a checkpoint
- ``graphs``: defines the graphs: networks with their final activation, inputs, outputs, dynamic axes
- ``convert``: torch -> ONNX -> OpenVINO, and a check of the operations in the result
- ``parity``: runs the same inputs through all three, at lengths that were not traced
- ``report``: writes the report and ``graphs.json``
"""
