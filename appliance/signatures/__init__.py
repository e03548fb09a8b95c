"""Who signed a file, and whose signatures count.

- ``minisign``: public keys and detached signatures, read strictly and verified
- ``trusted_keys``: the keys that this computer trusts
"""
