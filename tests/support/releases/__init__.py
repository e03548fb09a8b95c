"""Installations under test.

- ``stand_in``: an installation of made-up releases below a prefix of its own
- ``pack_files``: packs to carry; ``altered``: bundles that must be refused
- ``cage``: a shell that may do anything, none of which lasts
"""
