"""Reads scores with a proven licence as timed notes on one bar grid.

- ``ledger``: which files may be used, and the hash that identifies them
- ``reader``: ledger row -> song, by the format of the file
- ``musicxml``: one .mxl file as parts of measures; ``repeats``: the order in which measures are played;
  ``musicxml_score``: both together
- ``kern``, ``kern_text``: Humdrum scores; ``abc``: lead sheets
- ``lilypond``, ``lilypond_source``, ``lilypond_words``: scores that LilyPond compiled to MIDI
- ``drumming``: human drumming as bars of strokes
- ``assembly``: a played score in quarter notes -> a song; ``chord_symbols``: chord symbols as numbers
- ``song``: the result: a song in seconds
- ``timeline``: how long notes sound in cells of time
"""
