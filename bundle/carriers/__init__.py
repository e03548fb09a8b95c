"""The files that carry a release to the studio.

- ``run_file``: the ``.run``: ``header.sh``, verifier and archive in one file
- ``deb``: the Debian package around the ``.run``, with the scripts in ``debian/``
- ``image``: the container image
- ``check_cpus``: runs a finished release on emulated older processors
"""
