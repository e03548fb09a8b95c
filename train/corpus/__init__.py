"""Reads scores with a proven licence as timed notes on one bar grid.

- ``ledger``: which files may be used, and the hash that identifies them
- ``musicxml``: one .mxl file as parts of measures
- ``repeats``: the order in which measures are played
- ``song``: the result: a song in seconds
- ``reader``: ledger row -> song
- ``timeline``: how long notes sound in cells of time
"""
