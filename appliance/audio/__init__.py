"""Reading and writing sound, loudness and mastering.

- ``recording``: reads an audio file as blocks of samples at 44.1 kHz
- ``opened``: opens a recording, whatever its container
- ``containers``: recognises a file's container and finds all the sound in it, by way of ``wav_header``,
  ``mp3_frames``, ``ogg_pages`` and ``flac_length``
- ``pieces``: a file put together from pieces of another
- ``defects``: a dead side, a DC offset or rumble, which the mix does not inherit; ``high_pass``: its filter
- ``blocks``: streams of sample blocks
- ``wav_writer``: WAV files, 44.1 kHz, 24 bit, streamed
- ``loudness``: integrated loudness (LUFS) and true peak (dBTP)
- ``voice_level``: how loud the voice is where it sings, and what is far louder than it
- ``limiter``: a look-ahead limiter
- ``limited_loudness``: loudness after limiting, measured only where the limiter acted
- ``mastering``: brings every file to one loudness, with all peaks under a ceiling; ``held_gain``: with a
  gain that is given, beside stems that are finished
- ``joining``: a sound with a span of another
"""
