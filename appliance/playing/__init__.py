"""From notes to sound: one stereo stem per group, block by block.

- ``soundfont_band``: plays a score with a soundfont
- ``neural_band``: plays a score with the pack's audio decoder
- ``excitation``: tones and noise that the audio decoder shapes
- ``source_filter``: the STFT of these sources, and the way back to sound
- ``placing``: gain, balance, reverb and final fade of a stem
- ``reverb``: convolution with the impulse response of a small concert room
- ``band_hearing``: transcribes a recording of a band with the audio encoder
"""
