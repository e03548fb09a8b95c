"""One job: from a vocal file to published files.

- ``job``: the order of the steps
- ``engine``: a pack made ready to render
- ``receipt``: what came in, what was understood, what was chosen, what came out
- ``publication``: all files of a render appear at once, or none
"""
