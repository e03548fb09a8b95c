"""Checks whether this computer can run Backline, with a remedy for each failure.

- ``checks``: what a check found, and the report
- ``computer``, ``installation``, ``pack``: the checks
- ``examine``: all of them, in their order
"""
