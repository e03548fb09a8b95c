"""From a look at the inbox to a job in the queue.

- ``scan``: one look at the folder
- ``settling``: which files stand still
- ``stillness``: whether somebody may still be writing
- ``companions``: files beside a vocal that belong to it
- ``sidecar``: settings in files beside a vocal
- ``sentinel``: the file that proves that the inbox is mounted
- ``intake``: all of it in order
"""
