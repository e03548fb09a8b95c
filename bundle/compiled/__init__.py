"""What is compiled for a release, so that it runs with the C library of old servers.

The compiler is zig: it brings the headers and symbols of every old C library, and compiles for an old one on
a current system. What it compiles, and every compiler flag, is the same on every build machine.

- ``sources.toml``: the sources, each file with its SHA-256
- ``cache``: keeps downloads and results by their hash; a build from it needs no network
- ``sources``: fetches, verifies, unpacks and patches the sources
- ``compiler``: the pinned zig, as the programs ``cc``, ``ar`` and ``ranlib``
- ``archives``: zlib, bzip2, xz, libffi, sqlite and OpenSSL as static libraries
- ``python``: CPython with these linked in; ``modules.setup`` lists its compiled modules
- ``libm``: the mathematical library, so that the C library of a server does not change the music
- ``libz``: zlib as a shared library
- ``opener``: the program that verifies and unpacks a release; its C source is in ``opener/``
- ``build``: all of it, from the cache where nothing has changed
- ``reproducible``: whether two builds give the same bytes
"""
