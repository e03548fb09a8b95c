"""Settings of the watched folder: ``backline.toml``.

- ``config``: every key with its unit, its reason and its default
- ``check``: settings against this computer
- ``text``: settings as commented TOML
"""
