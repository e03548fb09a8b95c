"""Worker processes, progress and stored answers.

- ``workers``: runs one function over many items in several processes
- ``progress``: shows progress
- ``store``: stores answers on disk under the hash of their question
"""
