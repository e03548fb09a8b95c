"""The engine: child processes that decode and render, and the daemon's side of them.

- ``worker``: starts, watches and ends the engine process, for the daemon
- ``child``: the engine process, which renders
- ``messages``: the messages between the two
- ``failures``: the tables of errors, their kinds and what follows
- ``proof``: checks whether the disk is at fault before a recording is
- ``reference``: fetches the file that a vocal is to be played like
- ``decoding``: decodes a recording to a plain WAV file with the help of
- ``decode_child``: the confined process that opens the recording
- ``chosen_pack``: chooses the pack to load
- ``idle_tuning``: measures the CPU while nothing is rendered
- ``setup``: what the engine needs of the settings
"""
