"""The container image: the release and the C library it needs, and nothing else.

- ``base``: what stands beside the release: C library, user, folders, command, papers
- ``layers``: one layer of an image, a reproducible archive
- ``write``: the image as one file, which podman and docker load
"""
