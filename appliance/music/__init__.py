"""Notes, keys, chords and beats, independent of any network.

- ``score``: the notes of an accompaniment
- ``roll``: a score as the picture that the score VAE reads and paints
- ``keys``: names of keys, and transposition
- ``chord_chart``: chord names and the chart that a musician writes
- ``chart_keeping``: makes the notes keep to a chart
- ``beat_grid``: beats and bars as phases and times
- ``beat_file``: beats that the user gives
- ``midi``: a score as a MIDI file
"""
