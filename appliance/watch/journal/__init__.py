"""The journal: every vocal that was taken and what became of it.

- ``journal``: SQLite with one writer
- ``file``: locked, opened, checked, set aside if damaged
- ``schema``: the tables, and how an older journal becomes a current one
- ``rows``: jobs and transitions as records
- ``states``: the life of a job
- ``reader``: what can be asked while another process writes
- ``recovery``: what unfinished jobs become after a crash
"""
