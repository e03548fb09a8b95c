"""Songs to judge on.

- ``pieces``: a song cut to the excerpt that is judged
- ``songs``: songs of the corpus, sung and cut
- ``excerpts``: a minute of a cached song
"""
