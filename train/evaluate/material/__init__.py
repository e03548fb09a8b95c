"""Songs and excerpts that are judged.

- ``pieces``: a song cut to the judged excerpt
- ``songs``: songs of the corpus, sung and cut
- ``song_sets``: kinds of music that are measured side by side
- ``written_charts``: a song's written chords as charts, with gaps too
- ``harmonised_twice``: tunes that people have harmonised twice
- ``excerpts``: one minute of a cached song
"""
