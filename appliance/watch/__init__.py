"""The watched folder: vocals dropped into an inbox become results in an outbox, and none is lost.

From top to bottom; a room imports only from rooms below it:

- ``service``: the daemon, its loop, and what it tells
- ``outbox``: results are published, vocals put away
- ``engine``: child processes that decode and render
- ``inbox``: from a look at the folder to a job in the queue
- ``journal``: every vocal and what became of it
- ``reports``: logs, systemd, hooks, ``reason.txt``
- ``settings``: ``backline.toml``; ``disk``: files of the users, moved and named without loss
"""
