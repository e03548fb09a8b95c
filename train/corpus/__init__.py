"""Scores with a proven licence, read as timed notes on one shared bar grid.

- ``ledger``: which files may be used, and the hash that names them
- ``musicxml``: one .mxl file as parts of measures
- ``repeats``: the order in which its measures are played
- ``song``: the result: a song in seconds
- ``reader``: ledger row -> song
- ``timeline``: which notes sound when
"""
