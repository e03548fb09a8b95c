"""What the service tells the world outside.

- ``logs``: lines for the system's log
- ``systemd``: ready, alive, stopping (sd_notify)
- ``hooks``: commands of the administrator
- ``reason_text``: ``reason.txt`` beside a rejected vocal
"""
