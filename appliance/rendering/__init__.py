"""Renders one job: from a vocal file to published files.

- ``job``: the description of a job
- ``render``: the steps of a render
- ``hearing``: its first steps: what is sung, its tuning, its level
- ``reference``: the manner of a MIDI file or a recording
- ``engine``: a loaded pack
- ``sound_files``: plays notes into accompaniment, mix and stems
- ``receipt``: the record of a render
- ``publication``: publishes all files of a render at once, or none
- ``redo``: a new version of a take, of which only a part changes
- ``stopwatch``: time per stage, and progress
"""
