"""What a release says about itself.

- ``parts``: each part with version, licence and hash
- ``licences``: the text of every licence; ``known_licences``: of parts that do not name their own
- ``sbom``: the bill of materials, as CycloneDX
- ``manifest``: ``release.json``: every file with its hash
"""
