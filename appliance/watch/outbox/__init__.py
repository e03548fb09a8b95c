"""The end of a job: publish its result, and move its vocal to the archive or to rejected.

- ``publishing``: publishes results and moves vocals, in an order that survives a kill at any moment
- ``putting_away``: moves the vocals of ended jobs out of the inbox, step by step
- ``roots``: the folders outbox, archive and rejected
"""
