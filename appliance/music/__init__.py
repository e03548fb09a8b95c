"""Notes, keys, chords and beats, independent of any network.

- ``score``: the notes of an accompaniment, and its beat grid
- ``note_rows``: its notes as an array; ``sounding``: how much of each frame each pitch sounds
- ``roll``: a score as an image, which the score VAE encodes and decodes
- ``keys``: musical keys: names, transposition, estimation
- ``chord_chart``: chord names and chord charts as text
- ``chart_keeping``: corrects notes that contradict a given chart
- ``beat_grid``: beat and bar phases; notes moved onto the beat
- ``beat_file``: reads beats from a text file
- ``midi``: writes a score as a MIDI file
"""
