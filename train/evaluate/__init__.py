"""Evaluation: judges the music as audio, by models that were not trained here.

- ``evaluation``: judges any renderer on a list of pieces
- ``judges``: transcribe notes and chords from audio
- ``measures``: harmony, consonance, rhythm, gap closed
- ``material``: songs and excerpts to judge
- ``players``: packs and torch networks behind one interface
- ``quick``: a fast judgement of notes, without audio
- ``sound``: judges the audio networks
- ``pack``: the metrics that a pack carries
- ``processes``: worker processes, progress, stored answers
- ``sections``: the sections of the report
- ``listening``: excerpts and pictures of what a pack plays
- ``control``: measures whether tempo, chords, key and style are obeyed
"""
