"""Packs of an installed appliance.

- ``installed``: which there are, and which one the service plays
- ``package``: a pack in one file, verified and unpacked
- ``plain_tar``: the format of that file
"""
