"""The command ``backline``.

- ``main``: the entry point; ``render`` and ``doctor``
- ``redo``: a new version of one take
- ``watch``: the watched folder and its service
- ``release``: releases and keys; ``pack``: installed packs
- ``tune``: measures this CPU
- ``options``: options that several commands share; ``results``: progress and the table of results
"""
