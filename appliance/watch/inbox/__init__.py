"""Scans the inbox and queues a job for each complete vocal.

- ``scan``: scans the folder
- ``settling``: tracks which files have stopped changing
- ``stillness``: checks whether a settled file may still be incomplete
- ``other_files``: unfinished copies, and files of music software
- ``companions``: finds the files that belong to a vocal; ``charts``: those of chord charts
- ``reference_names``: those of recordings and MIDI files that a vocal is to be played like;
  ``reference_hashes``: their hashes
- ``sidecar``: reads settings beside a vocal; ``sidecar_text``: what they may say
- ``asking``: what is asked for a vocal now
- ``unused``: companions that no vocal is rendered with
- ``sentinel``: the file that proves that the inbox is mounted
- ``intake``: runs these steps and queues the job
"""
