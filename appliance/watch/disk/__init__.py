"""Safe handling of the users' files: name, move and hash them without loss.

- ``folders``: access to folders that other users write to, without following links
- ``moving``: moves files from the inbox to archive or rejected, without overwriting any
- ``names``: finds a free name in the outbox for each vocal
- ``hashing``: hashes a file in slices
- ``found``: the identity of a file: path, device, inode, size and times
"""
