"""Numbers from lists of notes.

- ``metrics``: harmony, consonance and rhythm
- ``gap``: gap closed between shuffled and true, with bootstrap intervals
- ``roll_f1``: notes in, notes out, for the score VAE; ``reconstruct``: that for many songs
- ``telling_apart``: how well the fit score tells true accompaniments from others
"""
