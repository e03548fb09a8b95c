"""What a pack is held to.

- ``metrics_file``: ``metrics.json``: the report in a few numbers
- ``shipped``: the excerpts in the repository, so that a pack can be judged anywhere
"""
