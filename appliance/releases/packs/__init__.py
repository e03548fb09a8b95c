"""Packs of an installed appliance.

- ``installed``: lists, installs, selects and removes packs
- ``package``: verifies and unpacks the file of a pack
- ``plain_tar``: reads the archive in that file
"""
