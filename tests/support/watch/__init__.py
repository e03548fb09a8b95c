"""The watched folder under test.

- ``service``: the whole service as a process; ``in_process``: the daemon's work in the test's process
- ``intake_bench``: inbox, intake and journal with a simulated clock; ``steps``: runs a generator to its end
- ``dropped``: vocals in an inbox; ``clients``: programs that copy them there; ``hostile``: hostile files
- ``invariants``: checks of all folders and the journal; ``journal_moves``: random calls of the journal;
  ``victims``: kills processes of the service
"""
