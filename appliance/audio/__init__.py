"""Reading and writing sound, loudness and mastering.

- ``recording``: reads an audio file as blocks of samples at 44.1 kHz
- ``containers``: recognises a file's container and finds missing ends
- ``blocks``: streams of sample blocks
- ``wav_writer``: WAV files, 44.1 kHz, 24 bit, streamed
- ``loudness``: integrated loudness (LUFS) and true peak (dBTP)
- ``limiter``: a look-ahead limiter
- ``limited_loudness``: loudness after limiting, measured only where the limiter acted
- ``mastering``: brings every file to one loudness, with all peaks under a ceiling
"""
