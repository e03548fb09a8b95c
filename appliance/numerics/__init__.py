"""Algorithms and scales of the textbooks, with no music in them.

- ``viterbi``: the best path through states
- ``mel``: the mel scale
"""
