"""Work spread over processes, shown and remembered.

- ``workers``: the same question about many things
- ``progress``: how far it is
- ``store``: answers on disk, named by the hash of their question
"""
