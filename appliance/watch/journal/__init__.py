"""The journal: an SQLite file with all jobs and their state transitions.

- ``journal``: the writer
- ``file``: locks, opens and checks the file, and sets a damaged one aside
- ``schema``: tables and migrations
- ``rows``: jobs and transitions as records
- ``states``: the states of a job
- ``reader``: queries
- ``applied``: which companions a job is rendered with
- ``recovery``: unfinished jobs after a crash
"""
