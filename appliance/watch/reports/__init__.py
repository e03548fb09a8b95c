"""Reports of the service to the outside.

- ``logs``: lines for the system log
- ``systemd``: notifications to systemd (sd_notify)
- ``hooks``: runs the administrator's commands
- ``reason_text``: the text of ``reason.txt`` beside a rejected vocal
"""
