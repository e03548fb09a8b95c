"""Textbook algorithms and scales that are not specific to music.

- ``viterbi``: the best path through states
- ``mel``: the mel scale
"""
