"""The metrics that a pack carries.

- ``metrics_file``: reduces the report to ``metrics.json``
- ``shipped``: judges a pack on excerpts in the repository, without a corpus
"""
