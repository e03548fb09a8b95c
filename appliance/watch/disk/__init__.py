"""Files of the users: found, named, moved and hashed so that none is lost.

- ``folders``: folders that strangers write to; no link leads out of them
- ``moving``: from the inbox to archive or rejected, never overwritten
- ``names``: a free name in the outbox for each vocal
- ``hashing``: the hash of a file, a slice at a time
- ``found``: what the file system says about a file
"""
