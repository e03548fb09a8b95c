"""What a release contains; each module adds one thing to the tree.

- ``interpreter``: the compiled Python
- ``packages``: the locked packages and the appliance's own wheel
- ``libraries``: the shared libraries of GCC, from ``pinned/``, and the mathematical library
- ``opener``: the program that verifies a release and unpacks it
- ``pack``: the signed pack, in a release or as one file
- ``man_page``: the man page, generated from the command line's help
- ``bytecode``: every module compiled in advance
"""
