"""Files and folders that survive crashes and power cuts.

- ``durable``: atomic, durable changes of names: links, renames, removals
- ``whole``: writes a file atomically
- ``folder_claim``: reserves a name by a locked folder
- ``hashes``: the files below a folder, and the SHA-256 of a file
- ``own_files``: folders of the program's own files, and how many files to keep
- ``toml``: reads TOML that people write; ``refused_values``: words for values that a model refuses
- ``text``: reads a text file that the user names
- ``write_errors``: turns a failed write into a sentence
"""
