"""What is sung: pitch, voicing, level, notes.

- ``tracker``: the pitch track of a singer; the other steps in their order:
- ``frames``: a recording as the frames that the tracker analyses
- ``noise_floor``: the steady part of a recording: hum, hiss, room
- ``candidates``: a few pitch candidates a frame, with their evidence
- ``path``: one pitch a frame, by dynamic programming
- ``voicing``: how surely a frame is sung
- ``onsets``: where notes begin
- ``notes``: stretches of one pitch as sung notes
- ``features``: the vocal as the networks hear it
- ``check``: is there singing in the recording at all?
"""
