"""What a release contains; each module adds one thing to the tree.

- ``interpreter``: the bundled Python
- ``packages``: the locked packages and the appliance's own wheel
- ``libraries``: shared libraries of the system that these need
- ``verifier``: minisign, which verifies the release before it is unpacked
- ``pack``: the signed pack, in a release or as one file
- ``man_page``: the man page, generated from the command line's help
- ``bytecode``: every module compiled in advance
"""
