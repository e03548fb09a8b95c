"""Measures control (tempo, beats, chords, key, style) and the form of whole songs, on a held-out split.

- ``subjects``: performs songs without audio and composes takes
- ``tempo``, ``chords``, ``key``, ``styles``, ``form``, ``confidence``: one measure each
- ``key_profile``: estimates the key of notes, independently of the appliance
- ``report``: runs all measures and writes Markdown and JSON
"""
