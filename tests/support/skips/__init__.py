"""Skipped tests: ``recorder`` writes down what a run skipped, ``review`` compares it with tests/skips.txt."""
