"""The daemon: one thread and one loop.

- ``daemon``: looks, takes, orders, publishes and puts away
- ``job_at_work``: one job at a time goes to the engine
- ``engine_keeper``: keeps an engine running with the right pack
- ``pauses``: why no job may start now
- ``signals``: signals as something to read
- ``control``: the socket that commands ask over; ``answers``: what the daemon answers
- ``snapshot``: the daemon at one moment; ``observer``: takes it
- ``telling``: a snapshot for a person
- ``outlets``: where the daemon tells of itself; ``metrics``: numbers for Prometheus
"""
