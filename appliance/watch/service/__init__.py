"""The daemon: one thread and one loop.

- ``daemon``: the main loop
- ``job_at_work``: gives one job at a time to the engine and records its outcome
- ``engine_keeper``: starts, renews and restarts the engine
- ``pauses``: the reasons why no job may start
- ``signals``: SIGTERM, SIGINT and SIGHUP as flags
- ``control``: the control socket; ``answers``: the replies to requests
- ``snapshot``: the daemon's status at one moment; ``observer``: takes it
- ``telling``: prints status and history
- ``scan_log``: logs what a scan cannot read
- ``outlets``: reports the status to systemd and Prometheus; ``metrics``: the numbers for Prometheus
"""
