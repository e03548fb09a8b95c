"""The files that carry a release to the studio.

- ``run_file``: ``header.sh``, verifier and archive in one file
- ``deb``: the Debian package
- ``check_cpus``: a finished release on older processors
"""
