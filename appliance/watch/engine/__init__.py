"""Child processes that decode and render, and how the daemon speaks to them.

- ``worker``: the engine child as the daemon sees it
- ``child``: the process that renders
- ``messages``: what the two say to each other
- ``failures``: which error is which kind, whose fault that is, what follows
- ``decoding``: a recording becomes a plain WAV file, by way of
- ``decode_child``: the confined process that opens it
- ``chosen_pack``: which pack the engine loads
- ``idle_tuning``: measures the CPU while nothing is rendered
- ``setup``: what the settings mean for the engine on this computer
"""
