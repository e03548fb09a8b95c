"""Judges the audio networks: how much of the music survives the way through the latent and back to audio.

- ``trip``: makes and judges the audio
- ``report``: writes the page, its figures and its pictures
"""
