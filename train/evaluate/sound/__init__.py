"""Judges the audio networks: how much of the music survives the way through the latent and back to audio.

- ``trip``: makes and judges the audio
- ``references``: how well the manner of a band is read from its recording
- ``report``: writes the page, its figures and its pictures
"""
