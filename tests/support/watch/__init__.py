"""The watched folder under test.

- ``service``: the whole service as a process; ``in_process``: the daemon's work without processes
- ``intake_bench``: inbox, intake and journal with a clock that moves when told; ``steps``: its steps at once
- ``dropped``: vocals in an inbox; ``clients``: the programs that put them there; ``hostile``: files no inbox
  should see
- ``invariants``: what must always be true; ``journal_moves``: random lives of jobs; ``victims``: SIGKILL
"""
