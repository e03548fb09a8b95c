"""How new a take is beside what the pack was trained on.

- ``copy_gate``: is a take nearer to a training song than unrelated songs are to each other?
- ``comparison``: a part beside all originals; ``lines``: where they may share a passage; ``evidence``: by how
  many bits a shared passage surprises
- ``diversity``: how different the takes of one request are
- ``onsets``: what a part strikes, without key, tempo and octaves
"""
