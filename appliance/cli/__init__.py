"""The command ``backline``.

- ``main``: the entry point; ``render`` and ``doctor``
- ``watch``: the watched folder and its service
- ``release``: releases and keys; ``pack``: installed packs
- ``tune``: measures this CPU
- ``options``: options that several commands share
"""
