"""Songs and excerpts that are judged.

- ``pieces``: a song cut to the judged excerpt
- ``songs``: songs of the corpus, sung and cut
- ``excerpts``: one minute of a cached song
"""
