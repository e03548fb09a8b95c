"""Whether control is obeyed and whole songs hold together, measured on songs of a held-out split.

- ``subjects``: sings songs without sound and composes takes
- ``tempo``, ``chords``, ``key``, ``styles``, ``form``, ``confidence``: measure one promise each
- ``key_profile``: the key of notes, independent of the appliance's own estimate
- ``report``: runs them all and writes Markdown and JSON
"""
