"""The watched folder: renders each vocal in the inbox, puts results into the outbox, and loses no file.

From top to bottom; a room imports only from rooms below it:

- ``service``: the daemon, its loop, its control socket and its reports
- ``outbox``: publishes results, moves vocals to the archive or to rejected
- ``engine``: child processes that decode and render
- ``inbox``: scans the inbox and queues jobs
- ``journal``: the record of all jobs
- ``reports``: log lines, systemd notifications, hooks, ``reason.txt``
- ``settings``: ``backline.toml``; ``disk``: safe handling of the users' files
"""
