"""Installations under test.

- ``stand_in``: an installation of fake releases in a temporary prefix
- ``pack_files``: valid and invalid pack files; ``altered``: bundles that must be refused
- ``cage``: a shell on a copy-on-write file system, which lists the files it changed
"""
