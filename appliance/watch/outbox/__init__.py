"""What happens when a job ends.

- ``publishing``: the order of effects: result, journal, source
- ``putting_away``: the vocal goes to archive or rejected
- ``roots``: the folders that results and vocals go to
"""
