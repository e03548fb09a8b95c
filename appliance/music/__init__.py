"""Notes, keys, chords and beats, independent of any network.

- ``score``: the notes of an accompaniment, and its beat grid
- ``note_rows``: its notes as an array; ``sounding``: how much of each frame each pitch sounds
- ``roll``: a score as an image, which the score VAE encodes and decodes
- ``keys``: musical keys: names, transposition, estimation
- ``chord_names``: chord names in common spellings; ``chord_quality``: what stands behind the root
- ``scale_degrees``: chords by their place in the key: Nashville numbers, roman numerals
- ``chord_chart``: chord charts as text; ``chart_bars``: their bars and repeats
- ``transposition``: a chart in another key
- ``chart_keeping``: corrects notes that contradict a given chart
- ``chord_filling``: adds tones of a chart's chords that are not heard
- ``beat_grid``: beat and bar phases; notes moved onto the beat
- ``bar_lines``: where bars lie; ``metrical_weight``: how strong their places are
- ``rhythm_plan``: when the band strikes, bar by bar
- ``rhythm_attributes``: density and syncopation of a rhythm, as the dials mean them
- ``dials``: the seven dials; ``attributes``: measures what they turn
- ``beat_file``: reads beats from a text file
- ``crumbs``: notes too short to be heard as notes; ``walking_line``: the pitches of a walking bass
- ``periods``: stretches of a song over which a drummer keeps a pattern
- ``midi``: writes a score as a MIDI file; ``midi_reading`` reads it back
- ``midi_events``: reads the bytes of a MIDI file, for ``midi_reading``, in seconds, and for ``midi_file``,
  which reads any file, in quarters
- ``splicing``: a score with some bars of another
"""
