"""What a release documents about itself.

- ``parts``: each part with its version, licence, licence texts and hash
- ``known_licences``: licences of parts whose metadata names none
- ``licences``: collects the licence texts
- ``sbom``: the bill of materials in CycloneDX format
- ``manifest``: ``release.json``, the list of all files with their hashes
"""
