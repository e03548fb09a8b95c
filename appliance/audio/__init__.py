"""Sound in, sound out, and how loud it is.

- ``recording``: an audio file as blocks of samples at 44.1 kHz
- ``containers``: which container a file is, and whether it is complete
- ``blocks``: streams of sample blocks
- ``wav_writer``: WAV files, 44.1 kHz, 24 bit, streamed
- ``loudness``: integrated loudness (LUFS) and true peak (dBTP)
- ``limiter``: a look-ahead limiter
- ``limited_loudness``: loudness after limiting, measured only where the limiter acted
- ``mastering``: every file at one loudness, no peak over the ceiling
"""
