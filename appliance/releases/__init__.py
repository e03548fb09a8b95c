"""Releases and packs of an installed appliance: installed, tried, switched to, rolled back.

Every release is a folder of its own. A link says which one runs, and it changes in one step. So a power cut
leaves the old release or the new one, and a release that fails its test is rolled back.

- ``layout``: where everything lies; ``versions``: which is older; ``lock``: one change at a time
- ``contents``: the files of a release, and whether it is whole
- ``install``: a file from a USB stick, verified and unpacked; ``copies``: a private copy of it
- ``activate``: tried, switched to, kept or rolled back; ``self_test``, ``switch``, ``health``: its steps
- ``leftovers``: what a power cut left behind
- ``systemd_units``: units, user and folders; ``uninstall``: all gone
- ``packs``: the packs beside the release
"""
