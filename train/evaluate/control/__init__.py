"""Measures control (tempo, beats, chords, key, style, tuning, dials) and the form of held-out songs.

- ``subjects``: performs songs without audio and composes takes
- ``tempo``, ``chords``, ``key``, ``styles``, ``band``, ``form``, ``confidence``, ``tuning``, ``dials``: one
  measure each
- ``key_profile``: estimates the key of notes, independently of the appliance
- ``report``: runs all measures and writes Markdown and JSON
"""
