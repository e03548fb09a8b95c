"""Releases and packs of an installed appliance: install, test, switch, roll back, remove.

Each release has a folder of its own. The link ``current`` says which one runs and changes atomically. A power
cut therefore leaves either the old release or the new one, and a release that fails its test is rolled back.

- ``layout``: the paths of an installation; ``versions``: compares versions; ``lock``: one change at a time
- ``contents``: the file list of a release, ``release.json``, and the check against it
- ``install``: verifies and unpacks a ``.run`` file; ``copies``: makes a private copy of it
- ``activate``: tests a release, then keeps it or rolls back; ``self_test``, ``switch``, ``health``: its steps
- ``leftovers``: removes what an interrupted installation left
- ``systemd_units``: units and user; ``folders``: the folders of the service; ``selinux``: their labels
- ``confinement``: what an older systemd or kernel cannot wall the service off with
- ``uninstall``: removes the program
- ``packs``: installed packs
"""
