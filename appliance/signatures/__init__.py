"""Signatures of releases and packs.

- ``minisign``: reads minisign's public keys and signature files, and verifies signatures
- ``trusted_keys``: the signing keys that this computer trusts
"""
