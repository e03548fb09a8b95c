"""Files and folders that stay whole through crashes and power cuts.

- ``durable``: names that change in one step
- ``hashes``: SHA-256 of a file, and the files below a folder
- ``folder_claim``: a locked folder reserves a name
- ``whole``: a file that appears whole or not at all
- ``own_files``: caches that the program keeps for itself
- ``text``: a text file that the user names
- ``write_errors``: a failed write as a sentence
"""
