"""What a release consists of, one file a step.

- ``interpreter``: the Python that travels
- ``packages``: the locked packages and the appliance's own wheel
- ``libraries``: shared libraries that these need
- ``verifier``: the program that checks a signature before anything is installed
- ``pack``: the pack with its signature
- ``bytecode``: every module compiled beforehand
- ``man_page``: the man page, written from the command line's own help
"""
