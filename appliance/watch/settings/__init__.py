"""Settings of the watched folder: ``backline.toml``.

- ``config``: the settings with unit, documentation and default
- ``values``: types of values, each with a sentence for a wrong value
- ``check``: checks the settings against this computer
- ``apart``: finds folders that lie inside each other
- ``text``: prints the settings as commented TOML
"""
