"""From notes to sound, one stereo stem a group, block by block.

- ``soundfont_band``: plays a score with a soundfont
- ``neural_band``: plays a score with the pack's audio decoder
- ``excitation``: tones and noise that the audio decoder shapes
- ``source_filter``: sources as a spectrum, and the way back to sound
- ``placing``: balance, room and end of a stem
- ``reverb``: a small concert room
- ``band_hearing``: a recording of a band as notes and as a latent
"""
