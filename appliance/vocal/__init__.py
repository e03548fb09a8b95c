"""The vocal: pitch, voicing, level, onsets and notes.

- ``tracker``: tracks the pitch of a singer, in the steps that follow
- ``frames``: cuts a recording into pitch frames and computes their spectra
- ``noise_floor``: the steady part of a recording: hum, hiss, room
- ``candidates``: a few pitch candidates per frame, with their evidence
- ``company``: whether more than one voice sounds, or instruments with it
- ``path``: chooses one candidate per frame, by dynamic programming
- ``voicing``: the probability that a frame is sung
- ``onsets``: onset strength, from spectrum and pitch
- ``notes``: the sung notes of a pitch track
- ``sung_notes``: the notes of a melody, from its features
- ``tuning``: the singer's offset from A = 440 Hz
- ``features``: the vocal as input of the networks
- ``check``: refuses a recording without singing
"""
